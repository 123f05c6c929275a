"""All orders of all shoppers, as the API lists them."""

from collections.abc import Iterable
from datetime import datetime
from functools import partial
from uuid import UUID

import httpx
from pydantic import AwareDatetime, BaseModel

from loadtests.checks.asking import TokenOf, ask, for_each_user, issued_token, proof
from loadtests.checks.orders import ListedOrder, OrderStatus
from loadtests.errors import ApiUnreadable, OrdersUnreadable

ORDERS_PATH = "/api/v1/orders"
# The most that the API gives.
PAGE_LIMIT = 100
# A shopper of a rush has some dozens of orders. A cursor that never ends is a bug that must not hang the judge.
MOST_PAGES = 1000
# 500 shoppers take some seconds.
WITHIN_SECONDS = 300.0


class _Line(BaseModel):
    product_id: int
    quantity: int


class _Order(BaseModel):
    id: UUID
    status: OrderStatus
    lines: list[_Line]
    failure_reason: str | None
    to_pay: int | None = None
    discount: int = 0
    created_at: AwareDatetime | None = None


class _Page(BaseModel):
    orders: list[_Order]
    next_cursor: str | None


async def list_orders(
    base_url: str,
    users: Iterable[int],
    *,
    token_of: TokenOf = issued_token,
    since: datetime | None = None,
    within_seconds: float = WITHIN_SECONDS,
) -> dict[int, tuple[ListedOrder, ...]]:
    """Return all orders of each user, newest first.

    Args:
        base_url: what URLs begin with.
        users: their ids.
        token_of: where their tokens come from.
        since: older orders are those of another run, and left out; None means that there are none.
        within_seconds: the most that it may take.

    Raises:
        OrdersUnreadable: a list can't be read, also when asked for again, or all together take too long.
    """
    orders_of = partial(_orders_of, since=since)
    try:
        return await for_each_user(base_url, users, orders_of, token_of=token_of, within_seconds=within_seconds)
    except ApiUnreadable as exc:
        raise OrdersUnreadable(f"not all orders can be listed: {exc}") from exc


async def _orders_of(
    client: httpx.AsyncClient, _user_id: int, token: str, *, since: datetime | None
) -> tuple[ListedOrder, ...]:
    found: list[ListedOrder] = []
    wanted: dict[str, str | int] = {"limit": PAGE_LIMIT}
    for _ in range(MOST_PAGES):
        page = await ask(_Page, client, client.build_request("GET", ORDERS_PATH, params=wanted, headers=proof(token)))
        fresh = [order for order in page.orders if since is None or _is_since(order, since)]
        found += [_listed(order) for order in fresh]
        if page.next_cursor is None or len(fresh) < len(page.orders):
            return tuple(found)
        wanted["cursor"] = page.next_cursor
    raise OrdersUnreadable(f"a list of orders has more than {MOST_PAGES} pages")


def _is_since(order: _Order, since: datetime) -> bool:
    return order.created_at is None or order.created_at >= since


def _listed(order: _Order) -> ListedOrder:
    return ListedOrder(
        order_id=str(order.id),
        status=order.status,
        units={line.product_id: line.quantity for line in order.lines},
        failure_reason=order.failure_reason,
        to_pay=order.to_pay,
        discount=order.discount,
    )
