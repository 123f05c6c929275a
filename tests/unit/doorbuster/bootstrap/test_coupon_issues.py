import asyncio
from collections.abc import Sequence
from typing import cast

import pytest
from prometheus_client import REGISTRY

from doorbuster.bootstrap.coupon_issues import IssueCommands
from doorbuster.coupons.issue_service import FirstCome
from doorbuster.coupons.issuing import IssueCoupon, Issued, IssueOutcome, IssueRefusal
from doorbuster.coupons.losers import RecentLosers
from doorbuster.kernel.errors import BrokerUnavailable, Overloaded
from tests.unit.doorbuster.coupons.issues import COUPON, Clock, MemoryCoupons, command


class Database:
    """What runs a batch: a database in memory, or an outcome for everybody."""

    def __init__(self, outcome: IssueOutcome | None = None) -> None:
        self.memory = MemoryCoupons()
        self.batches: list[int] = []
        self._outcome = outcome

    async def run(self, commands: Sequence[IssueCoupon]) -> Sequence[object]:
        self.batches.append(len(commands))
        return await self.memory.issue(commands) if self._outcome is None else [self._outcome] * len(commands)


def commands_of(database: Database, losers: RecentLosers | None = None) -> IssueCommands:
    return IssueCommands(cast("FirstCome", database), losers or RecentLosers(Clock()), deadline_seconds=5)


def told(result: str) -> float:
    return REGISTRY.get_sample_value("coupon_issues_total", {"result": result}) or 0.0


async def test_who_asks_at_the_same_time_is_one_batch_and_each_outcome_is_counted() -> None:
    database = Database()
    commands = commands_of(database)
    before = {each: told(each) for each in ("issued", "repeated", "sold-out")}

    outcomes = await asyncio.gather(*(commands.run(command(user, user)) for user in range(1, 8)))
    await commands.run(command(9, 1))

    assert database.batches == [7, 1]
    assert [isinstance(each, Issued) for each in outcomes] == [True] * 5 + [False] * 2
    assert {each: told(each) - before[each] for each in before} == {"issued": 5, "repeated": 1, "sold-out": 2}


async def test_who_lost_a_moment_ago_is_told_so_without_a_batch() -> None:
    database, losers = Database(), RecentLosers(Clock())
    losers.remember(COUPON, [command(1, 1).user_id])

    assert await commands_of(database, losers).run(command(1, 1)) is IssueRefusal.SOLD_OUT
    assert database.batches == []


async def test_while_messages_do_not_flow_it_says_so() -> None:
    before = told("broker-unavailable")

    with pytest.raises(BrokerUnavailable):
        await commands_of(Database(IssueRefusal.BROKER_UNAVAILABLE)).run(command(1, 1))
    assert told("broker-unavailable") == before


async def test_a_process_that_ends_takes_nothing_more() -> None:
    commands = commands_of(Database())
    await commands.drain()

    with pytest.raises(Overloaded):
        await commands.run(command(1, 1))
