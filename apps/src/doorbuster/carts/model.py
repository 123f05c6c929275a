"""Carts: what a buyer has chosen, changed line by line, and taken as a whole when it is ordered."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from doorbuster.kernel.ids import OrderId, ProductId, UserId
from doorbuster.kernel.refusals import Refusal

# As many as an order has, so that every cart can be ordered.
MOST_LINES = 100
MOST_UNITS = 1_000

NO_SUCH_PRODUCT = "unknown-product"
EMPTY = Refusal(code="cart-empty", detail="There is nothing in the cart.")

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class CartLine:
    """So many units of a product; its price is the one of the day on which it is ordered."""

    product_id: ProductId
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cart:
    """A buyer's one cart, its lines in the order in which they were added.

    Attributes:
        lines: each product once.
        updated_at: when it was made or changed last; None where there is no row of it.
    """

    user_id: UserId
    lines: tuple[CartLine, ...] = ()
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PutLine:
    """Have so many units of a product in the cart, whether it was there or not."""

    user_id: UserId
    product_id: ProductId
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveLine:
    """Have nothing of a product in the cart."""

    user_id: UserId
    product_id: ProductId


CartCommand = PutLine | RemoveLine


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOut:
    """Order all that is in the cart; the route minted `order_id` once, so a repeat carries the same (R1, R2)."""

    order_id: OrderId
    user_id: UserId
    coupon_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CartDecision:
    """What a batch changes.

    Attributes:
        outcomes: in the order of the commands: the cart just after each, or why nothing was done.
        changed: the carts to be written, each once.
    """

    outcomes: tuple[Cart | Refusal, ...]
    changed: tuple[Cart, ...]


def needs_cart(command: CartCommand, known: Collection[ProductId]) -> bool:
    """Return whether the outcome depends on the cart; a command that is refused in any case leaves not even a row."""
    return isinstance(command, RemoveLine) or command.product_id in known


def decide(
    carts: Mapping[UserId, Cart], known: Collection[ProductId], commands: Sequence[CartCommand], now: datetime
) -> CartDecision:
    """Return what the commands change, first come, first served.

    Args:
        carts: of all users of the commands; one that is absent is empty.
        known: those of the products to be put that exist.
        commands: what buyers ask for.
        now: the database's time (R19).
    """
    after = dict(carts)
    outcomes: list[Cart | Refusal] = []
    for command in commands:
        cart = after.get(command.user_id) or Cart(user_id=command.user_id)
        outcome = _put(cart, command, known) if isinstance(command, PutLine) else _without(cart, command.product_id)
        if isinstance(outcome, Cart):
            outcome = replace(outcome, updated_at=now) if outcome.lines != cart.lines else cart
            after[command.user_id] = outcome
        outcomes.append(outcome)
    changed = tuple(cart for user, cart in after.items() if cart.lines != _lines(carts.get(user)))
    return CartDecision(outcomes=tuple(outcomes), changed=changed)


def first_checkouts(carts: Mapping[UserId, Cart], commands: Sequence[CheckOut]) -> tuple[CheckOut, ...]:
    """Return of each user's commands the first one, if there is something in the cart: these become orders."""
    first: dict[UserId, CheckOut] = {}
    for command in commands:
        if _lines(carts.get(command.user_id)):
            first.setdefault(command.user_id, command)
    return tuple(first.values())


def settle(commands: Sequence[CheckOut], placed: Mapping[UserId, T | Refusal]) -> tuple[T | Refusal, ...]:
    """Return each command's outcome, in their order.

    Args:
        commands: all of the batch.
        placed: what became of each user's first command; a user whose cart is empty is absent.
    """
    taken: set[UserId] = set()
    outcomes: list[T | Refusal] = []
    for command in commands:
        # A refused order left the cart as it was, so a second command meets the same lines and the same refusal.
        outcome = EMPTY if command.user_id in taken else placed.get(command.user_id, EMPTY)
        if not isinstance(outcome, Refusal):
            taken.add(command.user_id)
        outcomes.append(outcome)
    return tuple(outcomes)


def emptied(users: Collection[UserId], now: datetime) -> tuple[Cart, ...]:
    """Return the carts of users whose lines became orders."""
    return tuple(Cart(user_id=user, updated_at=now) for user in sorted(users))


def _put(cart: Cart, command: PutLine, known: Collection[ProductId]) -> Cart | Refusal:
    line = CartLine(product_id=command.product_id, quantity=command.quantity)
    if not 1 <= command.quantity <= MOST_UNITS:
        return Refusal(code="bad-quantity", field="quantity", detail=f"A line has 1 to {MOST_UNITS} units.")
    if command.product_id not in known:
        detail = f"There is no product {command.product_id}."
        return Refusal(code=NO_SUCH_PRODUCT, field="product_id", detail=detail)
    if any(each.product_id == command.product_id for each in cart.lines):
        lines = tuple(line if each.product_id == command.product_id else each for each in cart.lines)
        return replace(cart, lines=lines)
    if len(cart.lines) >= MOST_LINES:
        return Refusal(code="cart-full", detail=f"A cart has {MOST_LINES} lines at most.")
    return replace(cart, lines=(*cart.lines, line))


def _without(cart: Cart, product_id: ProductId) -> Cart:
    return replace(cart, lines=tuple(line for line in cart.lines if line.product_id != product_id))


def _lines(cart: Cart | None) -> tuple[CartLine, ...]:
    return () if cart is None else cart.lines
