"""Problem documents (RFC 9457): what every answer that is no success looks like.

`code` is stable and clients compare it; `errors` name the fields; `instance` is the trace's id, which our logs carry.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus

import msgspec
from starlette.responses import Response

from doorbuster.infra.tracing import current_trace_id

MEDIA_TYPE = "application/problem+json"
# Spread, so that clients who were refused together don't come back together.
_RETRY_SECONDS = (1, 3)


class Code(StrEnum):
    """The codes of what the API itself refuses; business answers bring their own."""

    MALFORMED_JSON = "malformed-json"
    INVALID_REQUEST = "invalid-request"
    UNSUPPORTED_MEDIA_TYPE = "unsupported-media-type"
    BODY_TOO_LARGE = "body-too-large"
    BODY_TOO_SLOW = "body-too-slow"
    UNAUTHENTICATED = "unauthenticated"
    ADMIN_ROLE_REFUSED = "admin-role-refused"
    ISSUER_UNAVAILABLE = "issuer-unavailable"
    NOT_FOUND = "not-found"
    METHOD_NOT_ALLOWED = "method-not-allowed"
    KEY_MISSING = "idempotency-key-missing"
    KEY_MALFORMED = "idempotency-key-malformed"
    KEY_REUSED = "idempotency-key-reused"
    IN_FLIGHT = "in-flight"
    OVERLOADED = "overloaded"
    TOO_MANY_STREAMS = "too-many-streams"
    NOT_ACCEPTED = "not-accepted"
    BROKER_UNAVAILABLE = "broker-unavailable"
    OUTCOME_UNKNOWN = "outcome-unknown"
    INTERNAL = "internal-error"
    OTHER = "http-error"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldError:
    """One field that is wrong.

    Attributes:
        field: its path in the body, such as `lines[0].quantity`, or the name of a header or parameter.
        message: what is wrong, for a person.
    """

    field: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What went wrong with one request."""

    status: int
    code: str
    detail: str
    errors: tuple[FieldError, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


class ProblemRaised(Exception):
    """Ends a request with a problem document."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code)
        self.problem = problem


def problem_body(problem: Problem, *, instance: str | None) -> bytes:
    """Return the document's bytes.

    Args:
        problem: what went wrong.
        instance: the trace's id; None leaves it out.
    """
    document: dict[str, object] = {
        "type": "about:blank",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "code": problem.code,
        "detail": problem.detail,
        "errors": [{"field": error.field, "message": error.message} for error in problem.errors],
    }
    if instance is not None:
        document["instance"] = instance
    return msgspec.json.encode(document)


def problem_response(problem: Problem) -> Response:
    """Return the answer, with `Retry-After` if the same request may succeed later."""
    headers = dict(problem.headers)
    if problem.status == HTTPStatus.SERVICE_UNAVAILABLE or problem.code == Code.OUTCOME_UNKNOWN:
        headers.setdefault("Retry-After", str(random.randint(*_RETRY_SECONDS)))  # noqa: S311 - no secret
    body = problem_body(problem, instance=current_trace_id())
    return Response(body, status_code=problem.status, headers=headers, media_type=MEDIA_TYPE)
