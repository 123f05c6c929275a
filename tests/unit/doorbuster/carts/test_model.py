from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorbuster.carts.model import (
    EMPTY,
    MOST_LINES,
    MOST_UNITS,
    Cart,
    CartCommand,
    CartLine,
    PutLine,
    RemoveLine,
    decide,
    needs_cart,
)
from doorbuster.kernel.ids import ProductId, UserId
from doorbuster.kernel.refusals import Refusal
from doorbuster.orders import model as orders

NOW = datetime(2026, 1, 1, tzinfo=UTC)
BEFORE = NOW - timedelta(days=1)
ANN, BOB = UserId(1), UserId(2)
KNOWN = frozenset(ProductId(number) for number in range(1, 200))


def line(product: int, quantity: int = 1) -> CartLine:
    return CartLine(product_id=ProductId(product), quantity=quantity)


def cart(*lines: CartLine, user: UserId = ANN) -> Cart:
    return Cart(user_id=user, lines=lines, updated_at=BEFORE)


def put(product: int, quantity: int = 1, user: UserId = ANN) -> PutLine:
    return PutLine(user_id=user, product_id=ProductId(product), quantity=quantity)


def remove(product: int, user: UserId = ANN) -> RemoveLine:
    return RemoveLine(user_id=user, product_id=ProductId(product))


def test_a_new_line_comes_last() -> None:
    decision = decide({ANN: cart(line(5))}, KNOWN, [put(3, 2)], NOW)

    changed = Cart(user_id=ANN, lines=(line(5), line(3, 2)), updated_at=NOW)
    assert decision.outcomes == decision.changed == (changed,)


def test_a_line_that_is_put_again_is_changed_where_it_stands() -> None:
    decision = decide({ANN: cart(line(5), line(3))}, KNOWN, [put(5, 7)], NOW)

    assert decision.changed == (Cart(user_id=ANN, lines=(line(5, 7), line(3)), updated_at=NOW),)


@pytest.mark.parametrize("command", [put(5, 2), remove(3)])
def test_what_is_so_already_is_answered_and_not_written(command: CartCommand) -> None:
    before = cart(line(5, 2))

    decision = decide({ANN: before}, KNOWN, [command], NOW)

    assert (decision.outcomes, decision.changed) == ((before,), ())


def test_a_removed_line_is_gone() -> None:
    decision = decide({ANN: cart(line(5), line(3))}, KNOWN, [remove(5)], NOW)

    assert decision.changed == (Cart(user_id=ANN, lines=(line(3),), updated_at=NOW),)


def test_a_user_without_a_cart_gets_one() -> None:
    decision = decide({}, KNOWN, [put(5)], NOW)

    assert decision.changed == (Cart(user_id=ANN, lines=(line(5),), updated_at=NOW),)


def test_a_removal_is_no_look_at_the_catalogue() -> None:
    decision = decide({ANN: cart(line(5))}, frozenset(), [remove(5)], NOW)

    assert decision.changed == (Cart(user_id=ANN, updated_at=NOW),)


@pytest.mark.parametrize("quantity", [-1, 0, MOST_UNITS + 1, 10**30])
def test_a_quantity_out_of_bounds_is_refused(quantity: int) -> None:
    decision = decide({}, KNOWN, [put(5, quantity)], NOW)

    assert decision.outcomes == (Refusal(code="bad-quantity", field="quantity", detail="A line has 1 to 1000 units."),)
    assert decision.changed == ()


def test_a_product_that_does_not_exist_is_refused() -> None:
    decision = decide({}, KNOWN, [put(999)], NOW)

    assert decision.outcomes == (
        Refusal(code="unknown-product", field="product_id", detail="There is no product 999."),
    )


def test_a_full_cart_takes_no_new_line_but_changes_of_old_ones() -> None:
    full = cart(*(line(number) for number in range(1, MOST_LINES + 1)))

    decision = decide({ANN: full}, KNOWN, [put(150), put(7, 3), remove(8), put(150)], NOW)

    assert decision.outcomes[0] == Refusal(code="cart-full", detail="A cart has 100 lines at most.")
    (changed,) = decision.changed
    assert len(changed.lines) == MOST_LINES
    assert {line(7, 3), line(150)} <= set(changed.lines)


def test_commands_of_one_batch_build_on_each_other_and_not_on_those_of_others() -> None:
    decision = decide({}, KNOWN, [put(1), put(1, 4, user=BOB), put(2), remove(1)], NOW)

    assert [each.lines for each in decision.outcomes if isinstance(each, Cart)] == [
        (line(1),), (line(1, 4),), (line(1), line(2)), (line(2),),
    ]  # fmt: skip
    assert {each.user_id: each.lines for each in decision.changed} == {ANN: (line(2),), BOB: (line(1, 4),)}


def test_every_cart_fits_an_order() -> None:
    assert (MOST_LINES, MOST_UNITS) == (orders.MOST_LINES, orders.MOST_UNITS)
    assert EMPTY.field is None


COMMANDS = st.one_of(
    st.builds(put, st.integers(1, 6), st.integers(-1, 1_001), st.sampled_from((ANN, BOB))),
    st.builds(remove, st.integers(1, 6), st.sampled_from((ANN, BOB))),
)


@given(st.lists(COMMANDS, max_size=12), st.frozensets(st.integers(1, 6).map(ProductId)))
def test_a_cart_is_what_its_commands_say_one_by_one(commands: list[CartCommand], known: frozenset[ProductId]) -> None:
    before = {ANN: cart(line(1, 2))}
    wanted = {ANN: {1: 2}, BOB: dict[int, int]()}
    for command in commands:
        if isinstance(command, RemoveLine):
            wanted[command.user_id].pop(command.product_id, None)
        elif command.product_id in known and 1 <= command.quantity <= MOST_UNITS:
            wanted[command.user_id][command.product_id] = command.quantity

    decision = decide(before, known, commands, NOW)

    after = before | {each.user_id: each for each in decision.changed}
    assert {user: after[user].lines if user in after else () for user in wanted} == {
        user: tuple(line(product, quantity) for product, quantity in lines.items()) for user, lines in wanted.items()
    }
    assert len(decision.outcomes) == len(commands)
    assert all(each.updated_at == NOW for each in decision.changed)


@given(st.lists(COMMANDS, max_size=12))
def test_a_batch_is_as_good_as_its_commands_alone_and_a_repeat_changes_nothing(commands: list[CartCommand]) -> None:
    carts: dict[UserId, Cart] = {}
    for command in commands:
        carts |= {each.user_id: each for each in decide(carts, KNOWN, [command], NOW).changed}

    batch = {each.user_id: each for each in decide({}, KNOWN, commands, NOW).changed}

    assert batch == {user: each for user, each in carts.items() if each.lines}
    if commands:
        assert decide(carts, KNOWN, commands[-1:], NOW).changed == ()


def test_only_an_unknown_product_is_refused_without_a_look_at_the_cart() -> None:
    put = PutLine(user_id=UserId(1), product_id=ProductId(9), quantity=1)

    assert not needs_cart(put, known=())
    assert needs_cart(put, known={ProductId(9)})
    assert needs_cart(RemoveLine(user_id=UserId(1), product_id=ProductId(9)), known=())
