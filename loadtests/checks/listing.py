"""All orders of all shoppers, as the API lists them."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from http import HTTPStatus
from typing import Annotated, TypeVar
from uuid import UUID

import httpx
from pydantic import BaseModel, Field, ValidationError

from loadtests.checks.orders import ListedOrder, OrderStatus
from loadtests.errors import OrdersUnreadable

ORDERS_PATH = "/api/v1/orders"
TOKENS_PATH = "/dev/issuer/tokens"
AT_ONCE = 8
# The most that the API gives.
PAGE_LIMIT = 100
# A shopper of a rush has some dozens of orders. A cursor that never ends is a bug that must not hang the judge.
MOST_PAGES = 1000
TRIES = 5
PAUSE_SECONDS = 1.0
ASK_SECONDS = 10.0
# 500 shoppers take some seconds.
WITHIN_SECONDS = 300.0

Document = TypeVar("Document", bound=BaseModel)
TokenOf = Callable[[httpx.AsyncClient, int], Awaitable[str]]
"""Returns a user's token."""


class _Line(BaseModel):
    product_id: int
    quantity: int


class _Order(BaseModel):
    id: UUID
    status: OrderStatus
    lines: list[_Line]
    failure_reason: str | None


class _Page(BaseModel):
    orders: list[_Order]
    next_cursor: str | None


class _Token(BaseModel):
    token: Annotated[str, Field(min_length=1)]


async def issued_token(client: httpx.AsyncClient, user_id: int) -> str:
    """Return a user's token from the development issuer.

    Raises:
        OrdersUnreadable: it gives none.
    """
    return (await _ask(_Token, client, client.build_request("POST", TOKENS_PATH, json={"user_id": user_id}))).token


async def list_orders(
    base_url: str,
    users: Iterable[int],
    *,
    token_of: TokenOf = issued_token,
    within_seconds: float = WITHIN_SECONDS,
) -> dict[int, tuple[ListedOrder, ...]]:
    """Return all orders of each user, newest first.

    Args:
        base_url: what URLs begin with.
        users: their ids.
        token_of: where their tokens come from.
        within_seconds: the most that it may take.

    Raises:
        OrdersUnreadable: a list can't be read, also when asked for again, or all together take too long.
    """
    room = asyncio.Semaphore(AT_ONCE)

    async def listed(client: httpx.AsyncClient, user_id: int) -> tuple[ListedOrder, ...]:
        async with room:
            return await _orders_of(client, await token_of(client, user_id))

    # Straight to the ingress, whatever proxy the environment names for the rest of the world.
    async with httpx.AsyncClient(base_url=base_url, trust_env=False, timeout=ASK_SECONDS) as client:
        try:
            async with asyncio.timeout(within_seconds), asyncio.TaskGroup() as group:
                tasks = {user_id: group.create_task(listed(client, user_id)) for user_id in users}
        except TimeoutError as exc:
            raise OrdersUnreadable(f"{base_url} didn't list all orders within {within_seconds:g} s") from exc
        except ExceptionGroup as exc:
            # The first failure ended the others.
            raise exc.exceptions[0] from exc
    return {user_id: task.result() for user_id, task in tasks.items()}


async def _orders_of(client: httpx.AsyncClient, token: str) -> tuple[ListedOrder, ...]:
    found: list[ListedOrder] = []
    wanted: dict[str, str | int] = {"limit": PAGE_LIMIT}
    headers = {"Authorization": f"Bearer {token}"}
    for _ in range(MOST_PAGES):
        page = await _ask(_Page, client, client.build_request("GET", ORDERS_PATH, params=wanted, headers=headers))
        found += [_listed(order) for order in page.orders]
        if page.next_cursor is None:
            return tuple(found)
        wanted["cursor"] = page.next_cursor
    raise OrdersUnreadable(f"a list of orders has more than {MOST_PAGES} pages")


def _listed(order: _Order) -> ListedOrder:
    return ListedOrder(
        order_id=str(order.id),
        status=order.status,
        units={line.product_id: line.quantity for line in order.lines},
        failure_reason=order.failure_reason,
    )


async def _ask(kind: type[Document], client: httpx.AsyncClient, request: httpx.Request) -> Document:
    """Return what a request brings, after some tries: the platform may still be tired from the rush."""
    problem = ""
    for tried in range(TRIES):
        if tried:
            await asyncio.sleep(PAUSE_SECONDS)
        try:
            answer = await client.send(request)
        except httpx.TransportError as exc:
            problem = f"no answer: {type(exc).__name__}"
            continue
        if answer.is_success:
            return _read(kind, answer)
        problem = f"status {answer.status_code}"
        if answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
            break
    raise OrdersUnreadable(f"{request.method} {request.url}: {problem}")


def _read(kind: type[Document], answer: httpx.Response) -> Document:
    try:
        return kind.model_validate_json(answer.content)
    except ValidationError as exc:
        raise OrdersUnreadable(f"{answer.request.url} answers something else than was asked for: {exc}") from exc
