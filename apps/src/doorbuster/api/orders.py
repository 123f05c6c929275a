"""Orders: placing one, and looking at one's own."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response

from doorbuster.api.auth import CurrentUser
from doorbuster.api.commands import REPLAYED_HEADER, NewIntent, read_body, read_optional_body, run
from doorbuster.api.documents import body_of, not_found, problems
from doorbuster.api.order_documents import order_document
from doorbuster.api.order_events import MEDIA_TYPE as EVENT_STREAM
from doorbuster.api.order_events import OrderEvents, is_settled, state_of
from doorbuster.api.order_schemas import CancellationDocument, CancelOrderRequest, OrderToCancel
from doorbuster.api.problems import ProblemRaised
from doorbuster.api.schemas import (
    AcceptedOrder,
    OrderDocument,
    OrderPage,
    PageOfOrders,
    PlaceOrderRequest,
)
from doorbuster.api.use_cases import use_cases_of
from doorbuster.infra.telemetry import ORDERS_ACCEPTED
from doorbuster.kernel.ids import OrderId, ProductId
from doorbuster.orders.cancelling import CancelOrder
from doorbuster.orders.model import PlaceOrder, WantedLine

PREFIX = "/api/v1/orders"
router = APIRouter(prefix=PREFIX, tags=["orders"])

_CANCELLED: dict[int | str, dict[str, Any]] = {  # FastAPI's own type
    202: {"model": CancellationDocument, "description": "The payment is under way, and decides."}
}
_STREAMED: dict[int | str, dict[str, Any]] = {  # FastAPI's own type
    200: {
        "description": "Server-sent events `order`; the data of each is an OrderEventDocument.",
        "content": {EVENT_STREAM: {}},
    },
    204: {"description": "Last-Event-ID names the order's last state: there is nothing to wait for."},
}


@router.post(
    "",
    status_code=202,
    response_model=AcceptedOrder,
    responses=problems(400, 401, 409, 413, 415, 422, 503, 504),
    openapi_extra=body_of(PlaceOrderRequest),
)
async def place_order(request: Request, intent: NewIntent) -> Response:
    """Accept an order; its Location tells what becomes of it."""
    body = await read_body(request, PlaceOrderRequest)
    lines = tuple(WantedLine(product_id=ProductId(line.product_id), quantity=line.quantity) for line in body.lines)
    command = PlaceOrder(order_id=OrderId(intent.minted), user_id=intent.user_id, lines=lines, coupon_id=body.coupon_id)
    return accepted(await run(use_cases_of(request).place_order, intent, body=body, command=command))


@router.get("", response_model=OrderPage, responses=problems(401, 422, 503))
async def list_orders(request: Request, user_id: CurrentUser, page: Annotated[PageOfOrders, Query()]) -> OrderPage:
    """Return one's own orders, newest first."""
    before = None if page.cursor is None else OrderId(page.cursor)
    found = await use_cases_of(request).orders.page(user_id, before=before, limit=page.limit)
    # A full page may be the last one; then the next is empty.
    return OrderPage(
        orders=[order_document(order) for order in found],
        next_cursor=found[-1].id if len(found) == page.limit else None,
    )


@router.get("/{order_id}", response_model=OrderDocument, responses=problems(401, 404, 422, 503))
async def get_order(request: Request, user_id: CurrentUser, order_id: UUID) -> OrderDocument:
    """Return one of one's own orders; another buyer's is as unknown as one that never was."""
    order = await use_cases_of(request).orders.find(OrderId(order_id), user_id=user_id)
    if order is None:
        raise ProblemRaised(not_found("You have no such order."))
    return order_document(order)


@router.post(
    "/{order_id}/cancellation",
    response_model=CancellationDocument,
    responses=_CANCELLED | problems(400, 401, 404, 409, 413, 415, 422, 503, 504),
    openapi_extra=body_of(CancelOrderRequest, optional=True),
)
async def cancel_order(request: Request, intent: NewIntent, order_id: UUID) -> Response:
    """Give one of one's own orders up while it is PENDING: FAILED at once, or as soon as the payment has answered."""
    await read_optional_body(request, CancelOrderRequest)
    command = CancelOrder(cancellation_id=intent.minted, order_id=OrderId(order_id), user_id=intent.user_id)
    body = OrderToCancel(order_id=order_id)
    return await run(use_cases_of(request).cancel_order, intent, body=body, command=command)


@router.get(
    "/{order_id}/events",
    status_code=200,
    response_class=OrderEvents,
    responses=_STREAMED | problems(401, 404, 422, 503),
)
async def stream_order(
    request: Request,
    user_id: CurrentUser,
    order_id: UUID,
    last_event_id: Annotated[str | None, Header(max_length=64)] = None,
) -> Response:
    """Follow one of one's own orders until it is final, and compensated if it FAILED; five minutes at most."""
    use_cases = use_cases_of(request)
    order = await use_cases.orders.find(OrderId(order_id), user_id=user_id)
    if order is None:
        raise ProblemRaised(not_found("You have no such order."))
    if is_settled(order) and state_of(order) == last_event_id:
        return Response(status_code=204)
    return OrderEvents(order, lambda: use_cases.order_watch.watching(order.id, order), seen=last_event_id)


def accepted(response: Response) -> Response:
    """Return the answer to a command that makes an order, with its Location and counted if it is accepted."""
    if response.status_code == 202:
        response.headers["Location"] = f"{PREFIX}/{_id_in(bytes(response.body))}"
        if REPLAYED_HEADER not in response.headers:
            ORDERS_ACCEPTED.inc()
    return response


class _Identified(msgspec.Struct):
    id: UUID


def _id_in(body: bytes) -> UUID:
    """Return the id in an answer, which for a repeat is not the one that was minted now."""
    return msgspec.json.decode(body, type=_Identified).id
