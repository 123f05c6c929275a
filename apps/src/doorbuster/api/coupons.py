"""Coupons: what they are, having one issued, and looking at one's own.

The key of an issue is the coupon and the user (R16): whoever asks again is given the same issue, however often and
from wherever. So an Idempotency-Key isn't needed here; one that is sent is ignored.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from doorbuster.api.auth import CurrentUser
from doorbuster.api.commands import REPLAYED_HEADER, read_optional_body
from doorbuster.api.coupon_schemas import CouponDocument, CouponIssueDocument, IssueCouponRequest
from doorbuster.api.documents import not_found, plain_body_of, problems
from doorbuster.api.problems import Code, Problem, ProblemRaised, problem_response
from doorbuster.api.schemas import DIGITS, GREATEST_ID
from doorbuster.api.use_cases import use_cases_of
from doorbuster.coupons.coupon import Coupon, Issue
from doorbuster.coupons.issuing import IssueCoupon, IssueRefusal
from doorbuster.infra.telemetry import BUSINESS_REFUSALS
from doorbuster.kernel.errors import OutcomeUnknown
from doorbuster.kernel.ids import CouponId, IssueId

ISSUES = "/api/v1/coupon-issues"
router = APIRouter(tags=["coupons"])

CouponPath = Annotated[int, Path(ge=1, le=GREATEST_ID), DIGITS]

_UNKNOWN = not_found("There is no such coupon.")
_REFUSED: Mapping[IssueRefusal, Problem] = MappingProxyType(
    {
        refusal: Problem(status=409, code=refusal.value, detail=detail)
        for refusal, detail in (
            (IssueRefusal.NOT_YET, "The coupon isn't given away yet; see valid_from."),
            (IssueRefusal.ENDED, "The coupon isn't given away any more."),
            (IssueRefusal.SOLD_OUT, "All of these coupons are given away."),
        )
    }
)
_OUTCOME_UNKNOWN = Problem(
    status=504,
    code=Code.OUTCOME_UNKNOWN,
    detail="Perhaps the coupon is yours. Repeat the request to learn it: you never get a second one.",
)


@router.post(
    "/api/v1/coupons/{coupon_id}/issues",
    status_code=202,
    response_model=CouponIssueDocument,
    responses=problems(400, 401, 404, 409, 413, 415, 422, 503, 504),
    openapi_extra=plain_body_of(IssueCouponRequest, optional=True),
)
async def issue_coupon(request: Request, user_id: CurrentUser, coupon_id: CouponPath) -> Response:
    """Give the user the coupon, first come first served; who has it already is given the same issue."""
    await read_optional_body(request, IssueCouponRequest)
    use_cases = use_cases_of(request)
    command = IssueCoupon(issue_id=IssueId(use_cases.new_id()), coupon_id=CouponId(coupon_id), user_id=user_id)
    try:
        outcome = await use_cases.issue_coupon.run(command)
    except OutcomeUnknown:
        return problem_response(_OUTCOME_UNKNOWN)
    if isinstance(outcome, IssueRefusal):
        return _refused(outcome)
    headers = {"Location": f"{ISSUES}/{outcome.issue.id}"}
    if outcome.repeated:
        headers[REPLAYED_HEADER] = "true"
    body = _issue_document(outcome.issue).model_dump_json().encode()
    return Response(body, status_code=202, headers=headers, media_type="application/json")


@router.get(f"{ISSUES}/{{issue_id}}", response_model=CouponIssueDocument, responses=problems(401, 404, 422, 503))
async def get_coupon_issue(request: Request, user_id: CurrentUser, issue_id: UUID) -> CouponIssueDocument:
    """Return one of one's own issues; another user's is as unknown as one that never was."""
    issue = await use_cases_of(request).coupons.find_issue(IssueId(issue_id), user_id=user_id)
    if issue is None:
        raise ProblemRaised(not_found("You have no such coupon."))
    return _issue_document(issue)


@router.get("/api/v1/coupons/{coupon_id}", response_model=CouponDocument, responses=problems(404, 422, 503))
async def get_coupon(request: Request, coupon_id: CouponPath) -> CouponDocument:
    """Return one coupon."""
    coupon = await use_cases_of(request).coupons.find(CouponId(coupon_id))
    if coupon is None:
        raise ProblemRaised(_UNKNOWN)
    return _document(coupon)


def _refused(refusal: IssueRefusal) -> Response:
    if refusal is IssueRefusal.UNKNOWN_COUPON:
        return problem_response(_UNKNOWN)
    BUSINESS_REFUSALS.labels(refusal.value).inc()
    return problem_response(_REFUSED[refusal])


def _document(coupon: Coupon) -> CouponDocument:
    return CouponDocument(
        id=coupon.id,
        name=coupon.name,
        kind=coupon.kind.value,
        value=coupon.value,
        most_discount=coupon.most_discount,
        minimum_amount=coupon.minimum_amount,
        valid_from=coupon.valid_from,
        valid_until=coupon.valid_until,
        sold_out=coupon.issued >= coupon.total,
    )


def _issue_document(issue: Issue) -> CouponIssueDocument:
    return CouponIssueDocument(
        id=issue.id,
        coupon_id=issue.coupon_id,
        status=issue.status.value,
        created_at=issue.created_at,
        issued_at=issue.issued_at,
        order_id=issue.order_id,
    )
