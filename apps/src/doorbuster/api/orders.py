"""Orders: placing one, and looking at one's own."""

from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from doorbuster.api.auth import CurrentUser
from doorbuster.api.commands import REPLAYED_HEADER, NewIntent, read_body, run
from doorbuster.api.documents import body_of, not_found, problems
from doorbuster.api.problems import ProblemRaised
from doorbuster.api.schemas import (
    AcceptedOrder,
    OrderDocument,
    OrderLineDocument,
    OrderPage,
    PageOfOrders,
    PlaceOrderRequest,
)
from doorbuster.api.use_cases import use_cases_of
from doorbuster.infra.telemetry import ORDERS_ACCEPTED
from doorbuster.kernel.ids import OrderId, ProductId
from doorbuster.orders.model import Order, PlaceOrder, WantedLine

PREFIX = "/api/v1/orders"
router = APIRouter(prefix=PREFIX, tags=["orders"])


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
    response = await run(use_cases_of(request).place_order, intent, body=body, command=command)
    if response.status_code == 202:
        response.headers["Location"] = f"{PREFIX}/{_id_in(bytes(response.body))}"
        if REPLAYED_HEADER not in response.headers:
            ORDERS_ACCEPTED.inc()
    return response


@router.get("", response_model=OrderPage, responses=problems(401, 422, 503))
async def list_orders(request: Request, user_id: CurrentUser, page: Annotated[PageOfOrders, Query()]) -> OrderPage:
    """Return one's own orders, newest first."""
    before = None if page.cursor is None else OrderId(page.cursor)
    found = await use_cases_of(request).orders.page(user_id, before=before, limit=page.limit)
    # A full page may be the last one; then the next is empty.
    return OrderPage(
        orders=[_document(order) for order in found],
        next_cursor=found[-1].id if len(found) == page.limit else None,
    )


@router.get("/{order_id}", response_model=OrderDocument, responses=problems(401, 404, 422, 503))
async def get_order(request: Request, user_id: CurrentUser, order_id: UUID) -> OrderDocument:
    """Return one of one's own orders; another buyer's is as unknown as one that never was."""
    order = await use_cases_of(request).orders.find(OrderId(order_id), user_id=user_id)
    if order is None:
        raise ProblemRaised(not_found("You have no such order."))
    return _document(order)


def _document(order: Order) -> OrderDocument:
    return OrderDocument(
        id=order.id,
        status=order.status.value,
        total=order.total,
        coupon_id=order.coupon_id,
        discount=order.discount,
        to_pay=order.to_pay,
        lines=[
            OrderLineDocument(product_id=line.product_id, quantity=line.quantity, unit_price=line.unit_price)
            for line in order.lines
        ],
        created_at=order.created_at,
        failure_reason=order.failure_reason,
        finished_at=order.finished_at,
    )


class _Identified(msgspec.Struct):
    id: UUID


def _id_in(body: bytes) -> UUID:
    """Return the id in an answer, which for a repeat is not the one that was minted now."""
    return msgspec.json.decode(body, type=_Identified).id
