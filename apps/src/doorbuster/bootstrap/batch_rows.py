"""How many rows messages and commands may cost their transaction, so that a batch can end at 2,000 (R3).

Known without a look into the database, and so an upper bound: rows that several messages share count for each. One
thing isn't counted: an order's cancel doesn't say how many lines it had, and the stock of these is changed too.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from doorbuster.carts.model import MOST_LINES, CartCommand, CheckOut
from doorbuster.contracts.bodies import AnyBody, OrderCompleted, OrderCreated
from doorbuster.contracts.topics import Group
from doorbuster.infra.batches.idempotency_keys import Keyed
from doorbuster.orders.cancelling import CancelOrder
from doorbuster.orders.model import PlaceOrder
from doorbuster.points.model import ChargePoints

# Beside the processed id, which every group keeps.
_ROWS: Mapping[Group, int] = MappingProxyType(
    {
        Group.STOCK: 2,  # reservation, event; and the stock of each line
        Group.COUPON: 3,  # redemption, issue, event
        Group.ORDER_FLOW: 3,  # order, saga, event
        Group.PAYMENT: 5,  # payment, balance, two entries, event
        Group.POST_PROCESS: 2,  # counted order, event; and the sales of each line
        Group.EXTERNAL_DATA: 1,  # delivery
        Group.COUPON_ISSUER: 1,  # issue
    }
)
_GROUPS_THAT_WRITE_LINES = frozenset({Group.STOCK, Group.POST_PROCESS})
# Key, order, saga, event; and each line's product, which is read.
_ROWS_OF_AN_ORDER = 4
# Key, balance, two entries.
_ROWS_OF_A_CHARGE = 4
# Key, order, saga, event.
_ROWS_OF_A_CANCEL = 4
# Cart, product.
_ROWS_OF_A_CART_CHANGE = 2


def rows_of_messages(group: Group) -> Callable[[AnyBody], int]:
    """Return what says how many rows one of the group's messages may cost."""
    rows, writes_lines = _ROWS[group], group in _GROUPS_THAT_WRITE_LINES

    def rows_of(body: AnyBody) -> int:
        if writes_lines and isinstance(body, OrderCreated | OrderCompleted):
            return rows + len(body.lines)
        return rows

    return rows_of


def rows_of_order(keyed: Keyed[PlaceOrder]) -> int:
    """Return how many rows the command may cost."""
    return _ROWS_OF_AN_ORDER + len(keyed.command.lines)


def rows_of_charge(_keyed: Keyed[ChargePoints]) -> int:
    """Return how many rows the command may cost."""
    return _ROWS_OF_A_CHARGE


def rows_of_checkout(_keyed: Keyed[CheckOut]) -> int:
    """Return how many rows the command may cost: those of an order of a full cart, and the cart."""
    return _ROWS_OF_AN_ORDER + MOST_LINES + 1


def rows_of_cancel(_keyed: Keyed[CancelOrder]) -> int:
    """Return how many rows the command may cost."""
    return _ROWS_OF_A_CANCEL


def rows_of_cart_change(_command: CartCommand) -> int:
    """Return how many rows the command may cost."""
    return _ROWS_OF_A_CART_CHANGE
