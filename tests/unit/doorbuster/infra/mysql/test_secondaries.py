import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from doorbuster.infra.mysql.group_questions import Standing
from doorbuster.infra.mysql.group_views import Backlog, Member, View
from doorbuster.infra.mysql.secondaries import MOST_SECONDS_SINCE_LOOK, SECONDS_BETWEEN_LOOKS, Secondaries
from doorbuster.kernel.errors import PrimaryUnavailable

HOSTS = ("mysql-0", "mysql-1", "mysql-2")


class Group:
    """Members of which the first is the primary; some are behind, some silent."""

    def __init__(self) -> None:
        self.behind: set[str] = set()
        self.silent: set[str] = set()
        self.asked: list[str] = []
        self.now = 100.0

    async def ask(self, host: str) -> Standing | None:
        self.asked.append(host)
        if host in self.silent:
            return None
        members = [
            Member(host=name, state="ONLINE", role="SECONDARY" if number else "PRIMARY", own=name == host)
            for number, name in enumerate(HOSTS)
        ]
        backlog = Backlog(waiting=3 if host in self.behind else 0, oldest_seconds=5.0)
        return Standing(view=View(asked=host, members=members), backlog=backlog)

    def clock(self) -> float:
        return self.now


def in_order(hosts: Sequence[str]) -> Sequence[str]:
    return hosts


@pytest.fixture
def group() -> Group:
    return Group()


@pytest.fixture
async def secondaries(group: Group) -> AsyncIterator[Secondaries]:
    secondaries = Secondaries(HOSTS, ask=group.ask, monotonic=group.clock, shuffled=in_order)
    yield secondaries
    await secondaries.close()


async def look(secondaries: Secondaries, group: Group) -> bool:
    """What is known after a look that is due."""
    group.now += SECONDS_BETWEEN_LOOKS
    secondaries.any_fit()
    for _ in range(3):
        await asyncio.sleep(0)
    return secondaries.any_fit()


async def test_nobody_waits_for_the_first_look(secondaries: Secondaries, group: Group) -> None:
    assert not secondaries.any_fit()
    with pytest.raises(PrimaryUnavailable):
        await secondaries.host()
    assert group.asked == []


async def test_the_first_secondary_that_is_fit_is_chosen(secondaries: Secondaries, group: Group) -> None:
    group.silent = {"mysql-1"}

    assert await look(secondaries, group)
    assert await secondaries.host() == "mysql-2"


async def test_a_chosen_secondary_is_asked_alone_and_once_a_second(secondaries: Secondaries, group: Group) -> None:
    await look(secondaries, group)
    group.asked.clear()

    for _ in range(100):
        secondaries.any_fit()
    await look(secondaries, group)

    assert group.asked == ["mysql-1"]


async def test_one_that_falls_behind_is_replaced(secondaries: Secondaries, group: Group) -> None:
    await look(secondaries, group)
    generation = secondaries.generation
    group.behind = {"mysql-1"}

    assert await look(secondaries, group)
    assert await secondaries.host() == "mysql-2"
    assert secondaries.generation > generation


async def test_the_primary_serves_when_all_are_behind(secondaries: Secondaries, group: Group) -> None:
    await look(secondaries, group)
    group.behind = set(HOSTS)

    assert not await look(secondaries, group)


async def test_what_was_seen_long_ago_does_not_count(secondaries: Secondaries, group: Group) -> None:
    await look(secondaries, group)

    group.now += MOST_SECONDS_SINCE_LOOK + 0.1

    assert not secondaries.any_fit()


async def test_one_that_could_not_be_reached_is_forgotten(secondaries: Secondaries, group: Group) -> None:
    await look(secondaries, group)

    secondaries.forget(secondaries.generation)

    assert not secondaries.any_fit()


async def test_a_single_server_has_no_secondaries_and_is_not_asked(group: Group) -> None:
    alone = Secondaries(["managed"], ask=group.ask, monotonic=group.clock, shuffled=in_order)

    assert not await look(alone, group)
    assert group.asked == []


async def test_who_reads_seldom_waits_for_a_look_and_knows_then(secondaries: Secondaries, group: Group) -> None:
    await secondaries.looked()
    assert await secondaries.host() == "mysql-1"

    group.silent = {"mysql-1"}
    group.now += 30.0
    await secondaries.looked()

    assert secondaries.any_fit()
    assert await secondaries.host() == "mysql-2"


async def test_with_one_host_nobody_waits_for_a_look(group: Group) -> None:
    alone = Secondaries(("mysql-0",), ask=group.ask, monotonic=group.clock, shuffled=in_order)
    await alone.looked()

    assert (alone.any_fit(), group.asked) == (False, [])
    await alone.close()
