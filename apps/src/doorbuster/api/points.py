"""Points: charging one's own, and looking at them and their history."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from doorbuster.api.auth import CurrentUser
from doorbuster.api.commands import NewIntent, read_body, run
from doorbuster.api.documents import body_of, not_found, problems
from doorbuster.api.errors import invalid
from doorbuster.api.point_schemas import EntryDocument, EntryPage, PageOfEntries
from doorbuster.api.problems import FieldError, ProblemRaised
from doorbuster.api.schemas import BalanceDocument, ChargedDocument, ChargePointsRequest
from doorbuster.api.use_cases import use_cases_of
from doorbuster.points.history import BadCursor, EntryPosition
from doorbuster.points.model import ChargePoints, Entry, EntryKind

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


@router.get("/entries", response_model=EntryPage, responses=problems(401, 422, 503))
async def list_entries(request: Request, user_id: CurrentUser, page: Annotated[PageOfEntries, Query()]) -> EntryPage:
    """Return what came to one's points and went, newest first; all pages together are the balance."""
    found = await use_cases_of(request).entries.page(user_id, before=_position(page.cursor), limit=page.limit)
    # A full page may be the last one; then the next is empty.
    return EntryPage(
        entries=[_document(entry) for entry in found],
        next_cursor=str(EntryPosition.of(found[-1])) if len(found) == page.limit else None,
    )


def _position(cursor: str | None) -> EntryPosition | None:
    try:
        return None if cursor is None else EntryPosition.parse(cursor)
    except BadCursor as exc:
        raise ProblemRaised(invalid([FieldError(field="cursor", message=str(exc))])) from exc


def _document(entry: Entry) -> EntryDocument:
    of_order = entry.kind in {EntryKind.SPEND, EntryKind.RESTORE}
    return EntryDocument(
        kind=entry.kind,
        amount=entry.amount,
        order_id=entry.transaction_id if of_order else None,
        charge_id=entry.transaction_id if entry.kind is EntryKind.CHARGE else None,
        created_at=entry.created_at,
    )
