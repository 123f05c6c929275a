import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update

from doorbuster.bootstrap.consumers import CONSUMERS, ConsumerName
from doorbuster.contracts.bodies import (
    AnyBody,
    Body,
    CouponCancelled,
    CouponIssued,
    CouponNone,
    CouponRejected,
    CouponReleased,
    CouponUsed,
    OrderCancelled,
    OrderCreated,
    OrderLine,
)
from doorbuster.contracts.messages import Message, encode
from doorbuster.contracts.topics import Group
from doorbuster.coupons.model import CouponDecision, CouponState
from doorbuster.coupons.repository import MySqlRedemptionRepository
from doorbuster.coupons.service import CouponService
from doorbuster.coupons.tables import coupon_issues, coupon_redemptions
from doorbuster.infra.batches.message_batches import MessageBatches
from doorbuster.infra.kafka.records import BatchResult
from doorbuster.infra.mysql.database import Database
from doorbuster.infra.mysql.rows import RowsChangedMeanwhile
from doorbuster.infra.mysql.transactions import database_time
from doorbuster.kernel.ids import CouponId, IssueId, MessageId, OrderId, UserId
from tests.integration.apps.batch_steps import record
from tests.integration.apps.counted_statements import CountedStatements
from tests.integration.apps.coupon_rows import DAY, coupon, give, issue, issue_id, redeemed
from tests.integration.apps.deadlocks import deadlocks

pytestmark = pytest.mark.integration

THREE, TENTH, OVER, SOON, DEAR, STRANGE = range(1, 7)
USERS = range(1, 101)


@pytest.fixture
async def given(database: Database) -> Database:
    """Coupons with several terms; user 1 has each of them, all users have the first."""
    now = datetime.now(UTC)
    terms = [
        coupon(THREE),
        coupon(TENTH, kind="percentage", value=10, most_discount=40),
        coupon(OVER, valid_until=now - DAY / 2),
        coupon(SOON, valid_from=now + DAY / 2),
        coupon(DEAR, minimum_amount=101),
    ]
    issues = [issue(each, 1, status="ACCEPTED") for each in (TENTH, OVER, SOON, DEAR)]
    async with database.transaction() as connection:
        await give(connection, terms, [*issues, *(issue(THREE, user) for user in USERS)])
    return database


def order(number: int, *, coupon: int | None = None, user: int = 1, total: int = 100) -> OrderCreated:
    lines = (OrderLine(product_id=1, quantity=1, unit_price=total),)
    return OrderCreated(order_id=UUID(int=number), user_id=user, lines=lines, total=total, coupon_id=coupon)


def cancel(number: int) -> OrderCancelled:
    return OrderCancelled(order_id=UUID(int=number), reason="deadline")


async def handle(database: Database, *bodies: Body) -> Sequence[Body]:
    async with database.transaction() as connection:
        repository = MySqlRedemptionRepository(connection)
        return await CouponService().handle(repository, bodies, await database_time(connection))


async def statuses(database: Database) -> dict[int, str]:
    async with database.reading() as connection:
        found = await connection.execute(select(coupon_redemptions.c.order_id, coupon_redemptions.c.status))
    return {row.order_id.int: row.status for row in found}


async def test_every_order_is_answered_and_a_repeat_gets_the_same_answer(given: Database) -> None:
    bodies = [order(1), order(2, coupon=THREE), order(3, coupon=STRANGE), order(4, coupon=TENTH, total=199)]
    expected = [
        CouponNone(order_id=UUID(int=1)),
        CouponUsed(order_id=UUID(int=2), discount=3),
        CouponRejected(order_id=UUID(int=3), reason="unknown-coupon"),
        CouponUsed(order_id=UUID(int=4), discount=19),
    ]

    assert list(await handle(given, *bodies)) == expected
    before = await redeemed(given)
    assert list(await handle(given, *bodies)) == expected
    assert await redeemed(given) == before == {issue_id(THREE, 1): 2, issue_id(TENTH, 1): 4}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (order(1, coupon=OVER), "expired"),
        (order(1, coupon=SOON), "not-valid-yet"),
        (order(1, coupon=DEAR), "below-minimum"),
        (order(1, coupon=TENTH, user=2), "not-issued"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_coupon_that_may_not_be_redeemed_stays_free(given: Database, body: OrderCreated, reason: str) -> None:
    assert list(await handle(given, body)) == [CouponRejected(order_id=body.order_id, reason=reason)]
    assert await redeemed(given) == {}


async def test_of_two_orders_in_a_batch_the_first_redeems_the_coupon(given: Database) -> None:
    assert list(await handle(given, order(2, coupon=THREE), order(1, coupon=THREE))) == [
        CouponUsed(order_id=UUID(int=2), discount=3),
        CouponRejected(order_id=UUID(int=1), reason="already-redeemed"),
    ]
    assert await redeemed(given) == {issue_id(THREE, 1): 2}


async def test_of_orders_in_transactions_at_once_one_redeems_the_coupon(given: Database) -> None:
    before = deadlocks()

    answers = await asyncio.gather(*(handle(given, order(number, coupon=THREE)) for number in range(1, 11)))

    used = [answer.order_id.int for (answer,) in answers if isinstance(answer, CouponUsed)]
    refused = [answer for (answer,) in answers if isinstance(answer, CouponRejected)]
    assert (len(used), {answer.reason for answer in refused}) == (1, {"already-redeemed"})
    assert await redeemed(given) == {issue_id(THREE, 1): used[0]}
    assert deadlocks() == before


async def test_a_cancelled_order_gives_its_coupon_to_the_next_and_takes_it_from_nobody(given: Database) -> None:
    await handle(given, order(1, coupon=THREE))

    assert list(await handle(given, cancel(1))) == [CouponReleased(order_id=UUID(int=1))]
    assert await redeemed(given) == {}
    assert list(await handle(given, order(2, coupon=THREE))) == [CouponUsed(order_id=UUID(int=2), discount=3)]
    await handle(given, cancel(1), order(1, coupon=THREE), cancel(1))
    assert await redeemed(given) == {issue_id(THREE, 1): 2}
    assert await statuses(given) == {1: "RELEASED", 2: "USED"}


async def test_a_cancel_before_its_order_leaves_a_tombstone(given: Database) -> None:
    assert list(await handle(given, cancel(1))) == [CouponReleased(order_id=UUID(int=1))]
    assert list(await handle(given, order(1, coupon=THREE))) == [CouponCancelled(order_id=UUID(int=1))]
    assert await redeemed(given) == {}


async def test_orders_and_their_cancels_at_once_neither_deadlock_nor_lose(given: Database) -> None:
    batches: list[list[Body]] = [
        [order(user, coupon=THREE, user=user) for user in USERS[start::2]] for start in range(2)
    ]
    # Other orders for the same coupons, in the other order, and the cancels of half of them.
    batches += [
        [order(1_000 + user, coupon=THREE, user=user) for user in reversed(USERS[start::2])] for start in (0, 1)
    ]
    batches += [[cancel(user) for user in reversed(USERS[start::2])] for start in range(2)]
    before = deadlocks()

    await asyncio.gather(*(handle(given, *batch) for batch in batches), issued(given))

    found, by_order = await statuses(given), {number: key for key, number in (await redeemed(given)).items()}
    assert len(found) == 2 * len(USERS)
    assert {found[user] for user in USERS} <= {"RELEASED", "REJECTED", "CANCELLED"}
    assert {number for number, status in found.items() if status == "USED"} == by_order.keys()
    assert all(key == issue_id(THREE, number - 1_000) for number, key in by_order.items())
    assert deadlocks() == before


async def issued(database: Database) -> None:
    """Touch all issues by their ids, as whoever sets them ISSUED does."""
    ids = sorted(issue_id(THREE, user) for user in USERS)
    for start in range(0, len(ids), 20):
        async with database.transaction() as connection:
            part = coupon_issues.c.id.in_(ids[start : start + 20])
            await connection.execute(update(coupon_issues).where(part).values(issued_at=datetime.now(UTC)))


async def test_what_is_redeemed_by_somebody_else_meanwhile_is_not_written(given: Database) -> None:
    key = IssueId(issue_id(THREE, 1))
    async with given.transaction() as connection:
        (found,) = (
            await MySqlRedemptionRepository(connection).lock_issues([(CouponId(THREE), UserId(1))], ())
        ).values()
    now = datetime.now(UTC)
    taken = replace(found, order_id=OrderId(UUID(int=9)), redeemed_at=now)
    before = CouponState(redemptions={}, coupons={}, issues={key: taken})
    decision = CouponDecision(redemptions=(), issues=(replace(taken, order_id=OrderId(UUID(int=1))),), events=())

    with pytest.raises(RowsChangedMeanwhile, match="0 of 1 issues"):
        async with given.transaction() as connection:
            await MySqlRedemptionRepository(connection).save(before, decision)
    assert await redeemed(given) == {}


async def test_the_work_for_a_batch_is_the_same_for_two_coupons_and_for_a_hundred(given: Database) -> None:
    counted = CountedStatements(given)
    for numbers in (USERS[:2], USERS[2:]):
        async with counted.transaction() as connection:
            bodies = [order(user, coupon=THREE, user=user) for user in numbers]
            await CouponService().handle(MySqlRedemptionRepository(connection), bodies, datetime.now(UTC))
        async with counted.transaction() as connection:
            bodies_of_cancel = [cancel(user) for user in numbers]
            await CouponService().handle(MySqlRedemptionRepository(connection), bodies_of_cancel, datetime.now(UTC))

    # Claims and their lock, coupons, issues by holder and by id, redemptions, issues; a cancel knows its issue's id.
    assert counted.statements == [7, 5, 7, 5]


async def test_a_body_that_is_about_no_order_becomes_a_dead_letter(given: Database) -> None:
    handler = MessageBatches(given, Group.COUPON, CONSUMERS[ConsumerName.COUPON].step, new_id=uuid4)
    values = [encoded(CouponIssued(issue_id=UUID(int=5), coupon_id=THREE, user_id=1)), encoded(order(1))]

    result = await handler.handle(
        [record(number, topic="order-created", value=value) for number, value in enumerate(values)]
    )

    assert result == BatchResult(processed=1, dead_letters=1)
    assert await statuses(given) == {1: "NONE"}


def encoded(body: AnyBody) -> bytes:
    """Return the body in a message."""
    return encode(Message(id=MessageId(uuid4()), occurred_at=datetime.now(UTC), body=body))
