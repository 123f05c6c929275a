"""Carts: what one has chosen, changed line by line, and ordered as a whole."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from doorbuster.api.auth import CurrentUser
from doorbuster.api.cart_schemas import CartDocument, CartLineDocument, CheckOutRequest, PutLineRequest
from doorbuster.api.commands import NewIntent, read_body, run
from doorbuster.api.documents import body_of, not_found, plain_body_of, problems
from doorbuster.api.errors import invalid
from doorbuster.api.orders import accepted
from doorbuster.api.problems import FieldError, Problem, ProblemRaised
from doorbuster.api.schemas import DIGITS, GREATEST_ID, AcceptedOrder
from doorbuster.api.use_cases import use_cases_of
from doorbuster.carts.model import NO_SUCH_PRODUCT, Cart, CartCommand, CheckOut, PutLine, RemoveLine
from doorbuster.infra.telemetry import BUSINESS_REFUSALS
from doorbuster.kernel.ids import OrderId, ProductId, UserId
from doorbuster.kernel.refusals import Refusal

router = APIRouter(prefix="/api/v1/cart", tags=["cart"])

ProductInPath = Annotated[int, Path(ge=1, le=GREATEST_ID), DIGITS]


@router.get("", response_model=CartDocument, responses=problems(401, 503))
async def get_cart(request: Request, user_id: CurrentUser) -> CartDocument:
    """Return one's cart."""
    return _document(await use_cases_of(request).carts.find(user_id))


@router.put(
    "/lines/{product_id}",
    response_model=CartDocument,
    responses=problems(400, 401, 404, 409, 413, 415, 422, 503, 504),
    openapi_extra=plain_body_of(PutLineRequest),
)
async def put_line(request: Request, user_id: CurrentUser, product_id: ProductInPath) -> CartDocument:
    """Have so many units of a product in the cart, whether it was there or not; return the whole cart."""
    body = await read_body(request, PutLineRequest)
    command = PutLine(user_id=user_id, product_id=ProductId(product_id), quantity=body.quantity)
    return await _changed(request, user_id, command)


@router.delete("/lines/{product_id}", response_model=CartDocument, responses=problems(401, 422, 503, 504))
async def delete_line(request: Request, user_id: CurrentUser, product_id: ProductInPath) -> CartDocument:
    """Have nothing of a product in the cart, whether it was there or not; return the whole cart."""
    return await _changed(request, user_id, RemoveLine(user_id=user_id, product_id=ProductId(product_id)))


@router.post(
    "/checkout",
    status_code=202,
    response_model=AcceptedOrder,
    responses=problems(400, 401, 409, 413, 415, 422, 503, 504),
    openapi_extra=body_of(CheckOutRequest),
)
async def check_out(request: Request, intent: NewIntent) -> Response:
    """Order all that is in the cart, and empty it; the Location tells what becomes of the order."""
    body = await read_body(request, CheckOutRequest)
    command = CheckOut(order_id=OrderId(intent.minted), user_id=intent.user_id, coupon_id=body.coupon_id)
    return accepted(await run(use_cases_of(request).check_out, intent, body=body, command=command))


async def _changed(request: Request, user_id: UserId, command: CartCommand) -> CartDocument:
    outcome = await use_cases_of(request).change_cart.run(command, user=user_id)
    if isinstance(outcome, Refusal):
        raise ProblemRaised(_problem_of(outcome))
    return _document(outcome)


def _problem_of(refusal: Refusal) -> Problem:
    if refusal.code == NO_SUCH_PRODUCT:
        # The product is a part of the path.
        return not_found("There is no such product.")
    if refusal.field is not None:
        return invalid([FieldError(field=refusal.field, message=refusal.detail)], code=refusal.code)
    BUSINESS_REFUSALS.labels(refusal.code).inc()
    return Problem(status=409, code=refusal.code, detail=refusal.detail)


def _document(cart: Cart) -> CartDocument:
    return CartDocument(
        lines=[CartLineDocument(product_id=line.product_id, quantity=line.quantity) for line in cart.lines],
        updated_at=cart.updated_at,
    )
