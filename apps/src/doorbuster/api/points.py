"""Points: charging one's own, and looking at them."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from doorbuster.api.auth import CurrentUser
from doorbuster.api.commands import NewIntent, read_body, run
from doorbuster.api.documents import body_of, not_found, problems
from doorbuster.api.problems import ProblemRaised
from doorbuster.api.schemas import BalanceDocument, ChargedDocument, ChargePointsRequest
from doorbuster.api.use_cases import use_cases_of
from doorbuster.points.model import ChargePoints

router = APIRouter(prefix="/api/v1/points", tags=["points"])


@router.post(
    "/charges",
    status_code=201,
    response_model=ChargedDocument,
    responses=problems(400, 401, 409, 413, 415, 422, 503, 504),
    openapi_extra=body_of(ChargePointsRequest),
)
async def charge_points(request: Request, intent: NewIntent) -> Response:
    """Add points to one's own."""
    body = await read_body(request, ChargePointsRequest)
    command = ChargePoints(transaction_id=intent.minted, user_id=intent.user_id, amount=body.amount)
    return await run(use_cases_of(request).charge_points, intent, body=body, command=command)


@router.get("", response_model=BalanceDocument, responses=problems(401, 404, 503))
async def get_balance(request: Request, user_id: CurrentUser) -> BalanceDocument:
    """Return one's points."""
    balance = await use_cases_of(request).balances.find(user_id)
    if balance is None:
        raise ProblemRaised(not_found("You have no account of points."))
    return BalanceDocument(balance=balance)
