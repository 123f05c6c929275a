from collections.abc import Sequence

import pytest

from doorbuster_cluster.errors import CommandFailed
from loadtests.rig.database import PRIMARY, Database
from loadtests.rig.errors import QuestionFailed


class Group:
    """Three members; the first that answers tells who is the primary."""

    def __init__(self, *, primary: str = "data-mysql-1", down: Sequence[str] = (), row: str = "0") -> None:
        self.primary, self.down, self.row = primary, list(down), row
        self.asked: list[tuple[str, str]] = []

    def execute(self, member: str, statement: str) -> Sequence[str]:
        self.asked.append((member, statement))
        if member in self.down:
            raise CommandFailed(f"{member} is down")
        if statement == PRIMARY:
            return [f"{self.primary}.data-mysql.doorbuster.svc"]
        return [self.row]


def test_the_primary_is_asked() -> None:
    group = Group(row="4\t2\t1")

    assert Database(group.execute).work() == {"outbox": 4, "sagas": 2, "deliveries": 1}
    assert group.asked[-1][0] == "data-mysql-1"


def test_a_member_that_is_down_is_passed_over() -> None:
    group = Group(down=["data-mysql-0"], row="7")

    assert Database(group.execute).oversold() == 7


def test_the_primary_is_looked_for_once() -> None:
    group = Group(row="0")
    database = Database(group.execute)
    database.oversold()
    database.negative_points()

    assert [statement for _, statement in group.asked].count(PRIMARY) == 1


def test_after_a_failure_the_primary_is_looked_for_again() -> None:
    group = Group(row="0")
    database = Database(group.execute)
    database.oversold()
    group.down, group.primary = ["data-mysql-1"], "data-mysql-2"

    with pytest.raises(QuestionFailed, match="data-mysql-1 is down"):
        database.oversold()
    assert database.oversold() == 0
    assert group.asked[-1][0] == "data-mysql-2"


def test_a_group_of_which_nobody_answers_is_no_answer() -> None:
    group = Group(down=["data-mysql-0", "data-mysql-1", "data-mysql-2"])

    with pytest.raises(QuestionFailed, match="primary"):
        Database(group.execute).work()


def test_what_does_not_fit_is_counted_together() -> None:
    assert Database(Group(row="1\t2\t4").execute).misbooked() == 7


def test_orders_are_counted_for_the_buyers_of_one_run() -> None:
    group = Group(row="3\t1")

    assert Database(group.execute).unfinished(1001, 1500) == (3, 1)
    assert "BETWEEN 1001 AND 1500" in group.asked[-1][1]
