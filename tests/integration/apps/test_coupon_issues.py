"""The issue of coupons on real servers: never too many, never twice, whatever becomes of the gate (R16)."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from doorbuster.bootstrap.coupon_admin import CouponAdmin
from doorbuster.bootstrap.coupon_issues import MySqlLedger
from doorbuster.coupons.gate_upkeep import GateEvent
from doorbuster.coupons.issue_ports import MOST_OLD_CLAIMS, GateState
from doorbuster.coupons.issue_repository import MySqlCoupons
from doorbuster.coupons.issuing import Issued, IssueRefusal
from doorbuster.infra.mysql.database import Database
from doorbuster.infra.redis import connect
from doorbuster.kernel.errors import NotAccepted, OutcomeUnknown
from doorbuster.kernel.ids import CouponId
from doorbuster.settings import RedisSettings, Settings
from tests.integration.apps.counted_statements import CountedStatements
from tests.integration.apps.coupon_shop import CouponShop, ask, command, kinds
from tests.integration.apps.deadlocks import deadlocks
from tests.integration.apps.lost_answers import Fate, LostAnswers
from tests.integration.apps.patient_redis import patient
from tests.ports import free_port
from tests.unit.doorbuster.coupons.gate_contract import asked, opened
from tests.unit.doorbuster.coupons.issues import coupon as offered

pytestmark = pytest.mark.integration

UNITS, USERS, PROCESSES = 500, 2_000, 3


@pytest.fixture
async def shop(settings: Settings, database: Database) -> AsyncIterator[CouponShop]:
    """A new shop with an empty Redis."""
    client = patient(settings.redis)
    await client.flushall()
    yield CouponShop(database=database, client=client)
    await client.aclose()


@pytest.fixture
async def nobody() -> AsyncIterator[Redis]:
    """A client of a Redis that isn't there."""
    client = connect(RedisSettings(address=f"127.0.0.1:{free_port()}"))
    yield client
    await client.aclose()


async def gate_of(shop: CouponShop, coupon_id: CouponId) -> GateState:
    return (await CouponAdmin(shop.database, shop.gate).show(coupon_id)).gate


async def test_two_thousand_users_at_once_get_exactly_the_five_hundred_units(shop: CouponShop) -> None:
    before = deadlocks()
    coupon_id = await shop.coupon(UNITS)
    processes = [shop.process() for _ in range(PROCESSES)]

    outcomes = await ask(processes, coupon_id, range(1, USERS + 1))

    assert kinds(outcomes) == {"issued": UNITS, "sold-out": USERS - UNITS}
    await shop.assert_whole(coupon_id, outcomes)
    assert deadlocks() == before


async def test_each_user_three_times_in_three_processes_gets_one_issue(shop: CouponShop) -> None:
    coupon_id = await shop.coupon(50)
    processes = [shop.process() for _ in range(PROCESSES)]

    attempts = await asyncio.gather(*(ask([process], coupon_id, range(1, 201)) for process in processes))

    outcomes = [outcome for each in attempts for outcome in each]
    await shop.assert_whole(coupon_id, outcomes)
    holders = {row.user_id for row in await shop.rows(coupon_id)}
    assert len(holders) == 50
    for user, told in enumerate(zip(*attempts, strict=True), start=1):
        assert len({each.issue.id for each in told if isinstance(each, Issued)}) == (user in holders)


@pytest.mark.parametrize("lost", ["gone", "absent", "other epoch", "loading"])
async def test_without_a_gate_to_believe_there_are_exactly_as_many(shop: CouponShop, nobody: Redis, lost: str) -> None:
    before = deadlocks()
    coupon_id = await shop.coupon(100)
    if lost != "gone":
        await shop.client.flushall()
    if lost == "other epoch":
        await opened(shop.gate, offered(coupon_id, total=1, epoch=99))
    elif lost == "loading":
        await shop.gate.begin(offered(coupon_id, total=1))
    client = nobody if lost == "gone" else shop.client
    processes = [shop.process(client) for _ in range(PROCESSES)]

    with capture_logs():
        outcomes = await ask(processes, coupon_id, range(1, 601))

    assert kinds(outcomes) == {"issued": 100, "sold-out": 500}
    await shop.assert_whole(coupon_id, outcomes)
    assert deadlocks() == before


async def test_a_gate_that_is_lost_in_between_changes_no_number_and_is_made_anew(shop: CouponShop) -> None:
    coupon_id = await shop.coupon(100)
    processes = [shop.process() for _ in range(PROCESSES)]

    first = asyncio.create_task(ask(processes, coupon_id, range(1, 81)))
    await shop.client.flushall()
    outcomes = await first
    outcomes += await ask(processes, coupon_id, range(81, 301))

    assert kinds(outcomes) == {"issued": 100, "sold-out": 200}
    await shop.assert_whole(coupon_id, outcomes)
    assert (await shop.upkeep().look()).events == {GateEvent.REBUILT: 1}
    assert await gate_of(shop, coupon_id) is GateState.OPEN
    view = (await shop.gate.view([coupon_id], older_than_seconds=0))[coupon_id]
    assert (view.claims, view.confirmed, view.old) == (100, 100, ())


async def test_a_crash_between_claim_and_commit_is_mended_by_the_next_look(shop: CouponShop) -> None:
    coupon_id = await shop.coupon(5)
    await ask([shop.process()], coupon_id, [1])
    await shop.gate.claim([asked(7, 8, 9, 10, coupon_id=coupon_id)])
    assert kinds(await ask([shop.process()], coupon_id, [2])) == {"sold-out": 1}

    events = (await shop.upkeep().look()).events

    assert events == {GateEvent.CONFIRMED: 1, GateEvent.RELEASED: 4}
    assert kinds(await ask([shop.process()], coupon_id, range(2, 7))) == {"issued": 4, "sold-out": 1}


async def test_one_look_takes_back_all_dead_claims_however_many(shop: CouponShop) -> None:
    many = 2 * MOST_OLD_CLAIMS + 1
    coupon_id = await shop.coupon(many)
    await shop.gate.claim([asked(*range(1, many + 1), coupon_id=coupon_id)])

    assert (await shop.upkeep().look()).events == {GateEvent.RELEASED: many}
    assert kinds(await ask([shop.process()], coupon_id, [many + 1])) == {"issued": 1}


async def test_claims_are_left_alone_while_they_may_still_become_rows(shop: CouponShop) -> None:
    coupon_id = await shop.coupon(5)
    await shop.gate.claim([asked(7, coupon_id=coupon_id)])

    assert (await shop.upkeep(old_seconds=60).look()).events == {}


async def test_rows_that_the_gate_has_lost_are_counted_by_the_next_look(shop: CouponShop) -> None:
    coupon_id = await shop.coupon(5)
    await ask([shop.process()], coupon_id, [1, 2, 3])
    # What a failover to a replica that lags leaves behind.
    await shop.client.zremrangebyrank(f"coupon-gate:{{{coupon_id}}}:users", 0, 1)

    assert (await shop.upkeep().look()).events[GateEvent.COUNTED] == 1

    view = (await shop.gate.view([coupon_id], older_than_seconds=0))[coupon_id]
    assert (view.claims, view.confirmed) == (3, 3)


async def test_a_repeat_is_given_the_same_issue_by_any_process_also_when_it_is_sold_out(shop: CouponShop) -> None:
    coupon_id = await shop.coupon(2)
    first, second = shop.process(), shop.process()
    outcomes = await ask([first], coupon_id, [1, 2, 3])

    again = [await process.run(command(coupon_id, 1)) for process in (first, second)]

    assert isinstance(outcomes[0], Issued)
    assert again == [Issued(issue=outcomes[0].issue, repeated=True)] * 2
    assert outcomes[2] is IssueRefusal.SOLD_OUT
    await shop.assert_whole(coupon_id, outcomes)


async def test_rebuilding_under_load_changes_no_number(shop: CouponShop) -> None:
    before = deadlocks()
    coupon_id = await shop.coupon(200)
    admin = CouponAdmin(shop.database, shop.gate)
    processes = [shop.process() for _ in range(PROCESSES)]

    load = asyncio.create_task(ask(processes, coupon_id, range(1, 801)))
    for _ in range(5):
        await admin.rebuild(coupon_id)
    outcomes = await load

    assert kinds(outcomes) == {"issued": 200, "sold-out": 600}
    await shop.assert_whole(coupon_id, outcomes)
    await shop.upkeep().look()
    view = (await shop.gate.view([coupon_id], older_than_seconds=0))[coupon_id]
    assert (view.claims, view.confirmed) == (200, 200)
    assert deadlocks() == before


async def test_who_was_issued_to_while_the_gate_was_loading_is_never_told_that_it_is_sold_out(shop: CouponShop) -> None:
    coupon_id = await shop.coupon(2)
    row = await MySqlCoupons(shop.database).next_epoch(coupon_id, behind=0)
    assert row is not None
    await shop.gate.begin(row)
    await ask([shop.process()], coupon_id, [1, 2])

    await shop.gate.open(coupon_id, row.epoch)

    assert kinds(await ask([shop.process()], coupon_id, [1, 2, 3])) == {"issued": 2, "sold-out": 1}


async def test_a_restock_lets_as_many_more_through_at_once(shop: CouponShop) -> None:
    coupon_id = await shop.coupon(2)
    await ask([shop.process()], coupon_id, [1, 2, 3])

    shown = await CouponAdmin(shop.database, shop.gate).restock(coupon_id, 2)

    assert (shown.coupon.total, shown.coupon.issued, shown.gate) == (4, 2, GateState.OPEN)
    # A process of its own: another one may believe for a second what it knows.
    assert kinds(await ask([shop.process()], coupon_id, [3, 4, 5])) == {"issued": 2, "sold-out": 1}


@pytest.mark.parametrize("fate", [Fate.COMMITTED_UNANSWERED, Fate.ROLLED_BACK_UNANSWERED])
async def test_an_unknown_outcome_is_settled_by_the_same_batch_again(shop: CouponShop, fate: Fate) -> None:
    coupon_id = await shop.coupon(2)
    unreliable = LostAnswers(shop.database, [fate, Fate.UNAVAILABLE, fate])

    with capture_logs():
        outcomes = await MySqlLedger(unreliable, new_id=uuid4).issue([command(coupon_id, each) for each in (1, 2, 3)])

    assert [getattr(each, "repeated", each) for each in outcomes] == [False, False, IssueRefusal.SOLD_OUT]
    assert unreliable.transactions == 4
    assert (await shop.issued(coupon_id), await shop.messages()) == (2, 2)


async def test_what_stays_unknown_is_told_so_and_what_is_known_as_well(shop: CouponShop) -> None:
    coupon_id = await shop.coupon(2)
    gone = LostAnswers(shop.database, [Fate.COMMITTED_UNANSWERED] + [Fate.UNAVAILABLE] * 1000)
    refused = LostAnswers(shop.database, [Fate.UNAVAILABLE])

    with capture_logs():
        unknown = await MySqlLedger(gone, new_id=uuid4, settle_seconds=0.1).issue([command(coupon_id, 1)])
        known = await MySqlLedger(refused, new_id=uuid4).issue([command(coupon_id, 2)])

    assert [type(each) for each in unknown] == [OutcomeUnknown]
    assert [isinstance(each, NotAccepted) for each in known] == [True]
    assert [row.user_id for row in await shop.rows(coupon_id)] == [1]


async def test_a_large_batch_costs_as_many_statements_as_a_small_one(shop: CouponShop) -> None:
    coupon_id = await shop.coupon(1_000)
    counted = CountedStatements(shop.database)
    ledger = MySqlLedger(counted, new_id=uuid4)

    await ledger.issue([command(coupon_id, user) for user in (1, 2)])
    await ledger.issue([command(coupon_id, user) for user in range(3, 203)])

    # The time, coupons, issues that are there, counters, new issues, events.
    assert counted.statements == [6, 6]


async def test_an_unknown_coupon_and_a_known_one_in_a_batch(shop: CouponShop) -> None:
    coupon_id = await shop.coupon(1)
    process = shop.process()

    outcomes = await asyncio.gather(process.run(command(CouponId(99), 1)), process.run(command(coupon_id, 1)))

    assert kinds(outcomes) == {"unknown-coupon": 1, "issued": 1}
    assert isinstance(outcomes[1], Issued)
    assert outcomes[1].issue.id != UUID(int=0)
