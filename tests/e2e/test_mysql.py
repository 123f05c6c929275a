"""What MySQL acknowledged is there, whichever members or volumes are lost, and nobody has to help."""

import pytest

from tests.e2e.conftest import Figures, PowerCut
from tests.e2e.kubernetes import Kubernetes
from tests.e2e.witnesses import mysql_primary, mysql_witness, query_mysql
from tests.integration.polling import seconds_until

BREAKS = ("statefulset/data-mysql",)
MEMBERS = ("data-mysql-0", "data-mysql-1", "data-mysql-2")
ONLINE = "SELECT COUNT(*) FROM performance_schema.replication_group_members WHERE member_state = 'ONLINE'"


@pytest.fixture
def table(healthy: Kubernetes, request: pytest.FixtureRequest) -> str:
    """A table of one column for the witness; each test has its own."""
    name = f"doorbuster.{request.node.name}"[:60]
    primary = mysql_primary(healthy)
    query_mysql(healthy, primary, f"CREATE TABLE IF NOT EXISTS {name} (number BIGINT PRIMARY KEY)")
    query_mysql(healthy, primary, f"DELETE FROM {name}")
    return name


def test_loss_of_the_primary_loses_no_acknowledged_row(
    healthy: Kubernetes, power_cut: PowerCut, table: str, figures: Figures
) -> None:
    with mysql_witness(healthy, table) as witness:
        killed = mysql_primary(healthy)
        power_cut(killed)
        figures.seconds("MySQL: writes acknowledged again after the kill of the primary", witness.wait_for_more(
            5, within_seconds=120
        ))  # fmt: skip
        wait_for_three(healthy)
        acknowledged = witness.acknowledged()
    assert_on_every_member(healthy, table, acknowledged)


def test_loss_of_a_volume_is_healed_from_the_others(
    healthy: Kubernetes, power_cut: PowerCut, table: str, figures: Figures
) -> None:
    lost = next(member for member in MEMBERS if member != mysql_primary(healthy))
    with mysql_witness(healthy, table) as witness:
        healthy.delete("pvc", f"data-{lost}", "--wait=false")
        power_cut(lost)
        figures.seconds("MySQL: a member with a lost volume is ONLINE again", wait_for_three(healthy))
        acknowledged = witness.acknowledged()
    assert_on_every_member(healthy, table, acknowledged)


def test_loss_of_all_members_at_once_heals_without_a_person(
    healthy: Kubernetes, power_cut: PowerCut, table: str, figures: Figures
) -> None:
    with mysql_witness(healthy, table) as witness:
        power_cut(*MEMBERS)
        figures.seconds("MySQL: all members killed at once, three ONLINE again", wait_for_three(healthy))
        witness.wait_for_more(5, within_seconds=60)
        acknowledged = witness.acknowledged()
    assert_on_every_member(healthy, table, acknowledged)


def wait_for_three(kubernetes: Kubernetes) -> float:
    """Return the seconds until every member sees three members ONLINE."""

    def reached() -> bool:
        return all(query_mysql(kubernetes, member, ONLINE).strip() == "3" for member in MEMBERS)

    return seconds_until(reached, within_seconds=300, what="every MySQL member sees three ONLINE")


def assert_on_every_member(kubernetes: Kubernetes, table: str, acknowledged: set[int]) -> None:
    """Check that all acknowledged rows are on all members; a secondary may need a moment to apply the last ones."""
    assert acknowledged, "the witness has written something"
    for member in MEMBERS:
        seconds_until(
            lambda member=member: not acknowledged - rows(kubernetes, member, table),  # type: ignore[misc]
            within_seconds=30,
            what=f"all {len(acknowledged)} acknowledged rows on {member}",
        )


def rows(kubernetes: Kubernetes, member: str, table: str) -> set[int]:
    """Return the numbers that a member has in the table."""
    return {int(line) for line in query_mysql(kubernetes, member, f"SELECT number FROM {table}").split()}
