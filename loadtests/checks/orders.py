"""What became of every order that shoppers tried to place: judged from their own record and their own lists.

The record is the witness; the lists are what `GET /api/v1/orders` told each shopper at the end. *Lost*: a shopper read
an id that the list doesn't hold. *Doubled*: a list holds what nobody ordered, or one order stands for two.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus

from loadtests.witness import Attempt, Outcome

# They say that this try did nothing; of an earlier try with the same key they say nothing (R2).
_ONLY_THIS_TRY = {HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS}
# For an order that FAILED and doesn't say why.
UNKNOWN_REASON = "unknown"


class OrderStatus(StrEnum):
    """What a shopper sees of an order."""

    PENDING = "PENDING"
    PAID = "PAID"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedOrder:
    """An order as its buyer's list shows it.

    Attributes:
        order_id: its id.
        status: what became of it so far.
        units: how many of each product.
        failure_reason: why it FAILED; None if it didn't, or nobody says why.
        to_pay: what it cost, in points; None is not known.
        discount: what a coupon took off; 0 without one.
    """

    order_id: str
    status: OrderStatus
    units: Mapping[int, int]
    failure_reason: str | None = None
    to_pay: int | None = None
    discount: int = 0


OrdersByUser = Mapping[int, Sequence[ListedOrder]]
"""What each shopper's list held at the end; a user who isn't in here has an empty one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What became of the orders. `offered` is the sum of `accepted`, `sold_out`, `refused` and `unknown`.

    Attributes:
        offered: idempotency keys, however often each was tried.
        accepted: those of which a shopper read an id.
        sold_out: those that were told that nothing is left.
        refused: those that were told no for another reason.
        unknown: those of which nobody knows.
        paid: accepted and PAID.
        failed: accepted and FAILED.
        pending: accepted and neither yet.
        surfaced: orders in lists that stand for unknown keys; they are in none of the counts above but `unknown`.
        lost: accepted ids that their shopper's list doesn't hold, sorted.
        doubled: ids that were accepted for a key which has another one, or for two keys; that lists hold twice, or with
            something else than was ordered; or that no key of their shopper explains. Sorted.
        failures: how many accepted orders FAILED for which reason.
    """

    offered: int
    accepted: int
    sold_out: int
    refused: int
    unknown: int
    paid: int
    failed: int
    pending: int
    surfaced: int
    lost: tuple[str, ...]
    doubled: tuple[str, ...]
    failures: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Intent:
    """What one idempotency key came to, after all of its tries."""

    user_id: int
    product_id: int
    wanted: Mapping[int, int]
    outcome: Outcome
    order_ids: frozenset[str]


def judge(attempts: Iterable[Attempt], orders_by_user: OrdersByUser) -> Judgement:
    """Return what became of the orders.

    Args:
        attempts: all tries; those with one key in the order in which they ended.
        orders_by_user: the lists at the end, which hold no orders of an earlier run.
    """
    intents = _intents(attempts)
    outcomes = Counter(intent.outcome for intent in intents)
    accepted = {(intent.user_id, order_id) for intent in intents for order_id in intent.order_ids}
    listed = {(user, order.order_id): order for user, orders in orders_by_user.items() for order in orders}
    found = [order for place, order in listed.items() if place in accepted]
    statuses = Counter(order.status for order in found)
    surfaced, extra = _unexplained(intents, {place: listed[place] for place in listed if place not in accepted})
    return Judgement(
        offered=len(intents),
        accepted=outcomes[Outcome.OK],
        sold_out=outcomes[Outcome.SOLD_OUT],
        refused=outcomes[Outcome.FAIL],
        unknown=outcomes[Outcome.UNKNOWN],
        paid=statuses[OrderStatus.PAID],
        failed=statuses[OrderStatus.FAILED],
        pending=statuses[OrderStatus.PENDING],
        surfaced=surfaced,
        lost=tuple(sorted({order_id for user, order_id in accepted if (user, order_id) not in listed})),
        doubled=tuple(
            sorted({*_accepted_twice(intents), *_listed_twice(orders_by_user), *_other(intents, listed), *extra})
        ),
        failures=Counter(o.failure_reason or UNKNOWN_REASON for o in found if o.status is OrderStatus.FAILED),
    )


def sold_out_products(attempts: Iterable[Attempt]) -> Mapping[int, int]:
    """Return of which product how many orders were told, after all of their tries, that nothing is left."""
    return Counter(each.product_id for each in _intents(attempts) if each.outcome is Outcome.SOLD_OUT)


def sold_units(orders_by_user: OrdersByUser, product_id: int) -> int:
    """Return how many units of a product are in PAID orders, whether a shopper was told of them or not."""
    return sum(
        order.units.get(product_id, 0)
        for orders in orders_by_user.values()
        for order in orders
        if order.status is OrderStatus.PAID
    )


def paid_points(orders_by_user: OrdersByUser) -> Mapping[int, int]:
    """Return how many points each shopper's PAID orders cost; what one cost that doesn't say it isn't in it."""
    return {
        user: sum(order.to_pay or 0 for order in orders if order.status is OrderStatus.PAID)
        for user, orders in orders_by_user.items()
    }


def failed_without(orders_by_user: OrdersByUser, product_id: int) -> int:
    """Return how many orders FAILED although they don't want this product."""
    return sum(
        order.status is OrderStatus.FAILED and product_id not in order.units
        for orders in orders_by_user.values()
        for order in orders
    )


def _intents(attempts: Iterable[Attempt]) -> list[_Intent]:
    tries: dict[str, list[Attempt]] = defaultdict(list)
    for attempt in attempts:
        tries[attempt.key].append(attempt)
    return [
        _Intent(
            user_id=of_key[0].user_id,
            product_id=of_key[0].product_id,
            wanted=of_key[0].wanted,
            outcome=_settled(of_key),
            order_ids=frozenset(attempt.order_id for attempt in of_key if attempt.order_id is not None),
        )
        for of_key in tries.values()
    ]


def _settled(tries: Sequence[Attempt]) -> Outcome:
    """Return what is known after all tries with a key: the last outcome, unless it leaves an earlier one open."""
    outcomes = {attempt.outcome for attempt in tries}
    if Outcome.OK in outcomes:
        return Outcome.OK
    last = tries[-1]
    # That it is sold out is told before anybody looks for a try that is under way elsewhere.
    only_this = last.outcome is Outcome.SOLD_OUT or last.status in _ONLY_THIS_TRY
    if Outcome.UNKNOWN in outcomes and only_this:
        return Outcome.UNKNOWN
    return last.outcome


def _accepted_twice(intents: Iterable[_Intent]) -> Iterator[str]:
    keys = Counter(order_id for intent in intents for order_id in intent.order_ids)
    yield from (order_id for order_id, count in keys.items() if count > 1)
    for intent in intents:
        if len(intent.order_ids) > 1:
            yield from intent.order_ids


def _listed_twice(orders_by_user: OrdersByUser) -> Iterator[str]:
    times = Counter(order.order_id for orders in orders_by_user.values() for order in orders)
    yield from (order_id for order_id, count in times.items() if count > 1)


def _other(intents: Iterable[_Intent], listed: Mapping[tuple[int, str], ListedOrder]) -> Iterator[str]:
    """Yield the accepted orders that the list shows with something else than what was wanted."""
    for intent in intents:
        for order_id in intent.order_ids:
            order = listed.get((intent.user_id, order_id))
            if order is not None and order.units != intent.wanted:
                yield order_id


def _unexplained(
    intents: Iterable[_Intent], others: Mapping[tuple[int, str], ListedOrder]
) -> tuple[int, Sequence[str]]:
    """Return how many orders that nobody was told of stand for unknown keys, and the ids of those that don't.

    An unknown key explains at most one order, of its shopper and for what it wanted. Which of several orders
    it explains can't be known; only how many are too many.
    """
    open_keys = Counter((i.user_id, frozenset(i.wanted.items())) for i in intents if i.outcome is Outcome.UNKNOWN)
    surfaced, extra = 0, []
    for (user_id, order_id), order in others.items():
        place = user_id, frozenset(order.units.items())
        if open_keys[place] > 0:
            open_keys[place] -= 1
            surfaced += 1
        else:
            extra.append(order_id)
    return surfaced, extra
