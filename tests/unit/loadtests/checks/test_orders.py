from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from loadtests.checks.orders import (
    ListedOrder,
    OrderStatus,
    failed_without,
    judge,
    paid_points,
    sold_out_products,
    sold_units,
)
from loadtests.witness import Attempt, Outcome
from tests.unit.loadtests.checks.worlds import World, attempt, listed, worlds

OK, FAIL, SOLD_OUT, UNKNOWN = Outcome.OK, Outcome.FAIL, Outcome.SOLD_OUT, Outcome.UNKNOWN
PAID, FAILED, PENDING = OrderStatus.PAID, OrderStatus.FAILED, OrderStatus.PENDING


@given(worlds())
def test_in_a_run_without_a_fault_nothing_is_lost_or_doubled(world: World) -> None:
    judged = judge(world.attempts, world.lists)

    assert (judged.lost, judged.doubled, judged.surfaced) == ((), (), world.surfaced)
    assert judged.offered == len({one.key for one in world.attempts})
    assert judged.offered == judged.accepted + judged.sold_out + judged.refused + judged.unknown
    statuses = Counter(order.status for order in world.accepted)
    assert (judged.paid, judged.failed, judged.pending) == (statuses[PAID], statuses[FAILED], statuses[PENDING])
    assert judged.accepted == judged.paid + judged.failed + judged.pending
    assert sum(judged.failures.values()) == judged.failed


@given(worlds(), st.data())
def test_an_accepted_order_that_vanished_is_lost(world: World, data: st.DataObject) -> None:
    assume(world.accepted)
    gone = data.draw(st.sampled_from(world.accepted))
    lists = {user: [order for order in orders if order != gone] for user, orders in world.lists.items()}

    judged = judge(world.attempts, lists)

    assert (judged.lost, judged.doubled) == ((gone.order_id,), ())
    assert judged.accepted == judged.paid + judged.failed + judged.pending + 1


@given(worlds(), st.integers(min_value=1, max_value=3), st.integers(min_value=1, max_value=3))
def test_an_order_that_nobody_placed_is_doubled(world: World, user_id: int, product_id: int) -> None:
    extra = listed("extra", product_id=product_id)
    # An unknown key of the same shopper for the same product that brought no order could stand for it.
    assume(not any(a.outcome is UNKNOWN and (a.user_id, a.product_id) == (user_id, product_id) for a in world.attempts))
    lists = {**world.lists, user_id: [*world.lists.get(user_id, []), extra]}

    judged = judge(world.attempts, lists)

    assert (judged.lost, judged.doubled) == ((), ("extra",))


@given(worlds(), st.data())
def test_a_key_with_a_second_order_is_doubled(world: World, data: st.DataObject) -> None:
    assume(world.accepted)
    order = data.draw(st.sampled_from(world.accepted))
    first = next(one for one in world.attempts if one.order_id == order.order_id)
    again = replace(first, order_id="second")
    lists = {**world.lists, first.user_id: [*world.lists[first.user_id], replace(order, order_id="second")]}

    judged = judge([*world.attempts, again], lists)

    assert (judged.lost, judged.doubled) == ((), tuple(sorted([order.order_id, "second"])))


@given(worlds(), st.data())
def test_an_order_that_two_keys_were_told_of_is_doubled(world: World, data: st.DataObject) -> None:
    assume(world.accepted)
    order = data.draw(st.sampled_from(world.accepted))
    first = next(one for one in world.attempts if one.order_id == order.order_id)

    judged = judge([*world.attempts, replace(first, key="another")], world.lists)

    assert (judged.lost, judged.doubled) == ((), (order.order_id,))


def test_an_order_that_is_listed_twice_is_doubled() -> None:
    judged = judge([attempt("k", OK, order_id="a")], {1: [listed("a"), listed("a")]})

    assert (judged.paid, judged.doubled) == (1, ("a",))


def test_an_order_in_another_shoppers_list_is_lost_and_doubled() -> None:
    judged = judge([attempt("k", OK, order_id="a", user_id=1)], {1: [], 2: [listed("a")]})

    assert (judged.lost, judged.doubled) == (("a",), ("a",))


def test_a_shopper_without_a_list_has_lost_everything() -> None:
    assert judge([attempt("k", OK, order_id="a")], {}).lost == ("a",)


def test_an_unknown_key_explains_one_order_and_not_two() -> None:
    judged = judge([attempt("k", UNKNOWN)], {1: [listed("a"), listed("b")]})

    assert (judged.surfaced, len(judged.doubled)) == (1, 1)


@pytest.mark.parametrize(
    "order",
    [listed("a", product_id=2), replace(listed("a"), units={1: 2}), replace(listed("a"), units={1: 1, 2: 1})],
)
def test_an_unknown_key_explains_only_what_it_wanted(order: ListedOrder) -> None:
    assert judge([attempt("k", UNKNOWN)], {1: [order]}).doubled == ("a",)


@pytest.mark.parametrize(
    "order",
    [listed("a", product_id=2), replace(listed("a"), units={1: 2}), replace(listed("a"), units={1: 1, 2: 1})],
)
def test_an_accepted_order_for_something_else_is_doubled(order: ListedOrder) -> None:
    judged = judge([attempt("k", OK, order_id="a")], {1: [order]})

    assert (judged.lost, judged.doubled) == ((), ("a",))


@pytest.mark.parametrize("outcome", [FAIL, SOLD_OUT])
def test_a_refused_key_explains_no_order(outcome: Outcome) -> None:
    assert judge([attempt("k", outcome, status=409)], {1: [listed("a")]}).doubled == ("a",)


def test_sold_out_orders_are_counted_by_product() -> None:
    tries = [attempt("a", SOLD_OUT, product_id=7), attempt("b", UNKNOWN, product_id=7)]
    tries += [attempt("b", SOLD_OUT, product_id=7), attempt("c", SOLD_OUT, product_id=8)]

    assert sold_out_products(tries) == {7: 1, 8: 1}


@pytest.mark.parametrize(
    ("tries", "settled"),
    [
        ([attempt("k", FAIL, status=503), attempt("k", OK, order_id="a")], "accepted"),
        ([attempt("k", UNKNOWN), attempt("k", FAIL, status=409)], "refused"),
        ([attempt("k", FAIL, status=503), attempt("k", FAIL, status=503)], "refused"),
        ([attempt("k", UNKNOWN), attempt("k", UNKNOWN), attempt("k", FAIL, status=503)], "unknown"),
        ([attempt("k", UNKNOWN), attempt("k", FAIL, status=429)], "unknown"),
        ([attempt("k", FAIL, status=503), attempt("k", UNKNOWN)], "unknown"),
        ([attempt("k", FAIL, status=503), attempt("k", SOLD_OUT, status=409)], "sold_out"),
        # It was told before anybody looked whether the first try is under way elsewhere.
        ([attempt("k", UNKNOWN), attempt("k", SOLD_OUT, status=409)], "unknown"),
    ],
)
def test_a_key_is_counted_once_with_what_is_known_after_all_tries(tries: list[Attempt], settled: str) -> None:
    judged = judge(tries, {1: [listed("a")]})

    counts = {name: getattr(judged, name) for name in ("accepted", "sold_out", "refused", "unknown")}
    assert counts == {"accepted": 0, "sold_out": 0, "refused": 0, "unknown": 0, settled: 1}
    assert judged.offered == 1


def test_failures_are_counted_by_reason() -> None:
    reasons = ["out-of-stock", "out-of-stock", None]
    orders = [listed(f"o{n}", status=FAILED, reason=reason) for n, reason in enumerate(reasons)]

    judged = judge([attempt(f"k{n}", OK, order_id=f"o{n}") for n in range(3)], {1: orders})

    assert judged.failures == {"out-of-stock": 2, "unknown": 1}


def test_sold_are_the_units_in_paid_orders_whoever_was_told_of_them() -> None:
    lists = {
        1: [listed("a", product_id=7), listed("b", product_id=7, status=FAILED), listed("c", product_id=8)],
        2: [listed("d", product_id=7), listed("e", product_id=7, status=PENDING)],
    }

    assert sold_units(lists, 7) == 2


def test_failures_of_other_products_than_the_hot_one_are_counted() -> None:
    lists = {
        1: [listed("a", product_id=7, status=FAILED), listed("b", product_id=8, status=FAILED)],
        2: [listed("c", product_id=8)],
    }

    assert failed_without(lists, 7) == 1


def test_a_cart_is_ordered_as_a_whole_or_something_went_wrong() -> None:
    cart = replace(attempt("key", OK, order_id="order"), units={1: 1, 2: 3})
    whole, half = (ListedOrder(order_id="order", status=PAID, units=units) for units in ({1: 1, 2: 3}, {1: 1}))

    assert judge([cart], {1: [whole]}).doubled == ()
    assert judge([cart], {1: [half]}).doubled == ("order",)


def test_an_unknown_checkout_explains_one_order_of_the_same_cart() -> None:
    cart = replace(attempt("key", UNKNOWN), units={1: 1, 2: 3})
    same, other = (ListedOrder(order_id=name, status=PAID, units={1: 1, 2: 3}) for name in ("same", "other"))

    found = judge([cart], {1: [same, other]})
    assert (found.surfaced, found.doubled) == (1, ("other",))


def test_only_paid_orders_cost_points() -> None:
    paid, failed = replace(listed("a"), to_pay=30), replace(listed("b", status=FAILED), to_pay=5)

    assert paid_points({1: [paid, paid, failed], 2: [failed]}) == {1: 60, 2: 0}
