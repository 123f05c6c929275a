"""What an answer to an order means to a shopper: accepted, sold out, refused or unknown, and whether to ask again."""

import json
from dataclasses import dataclass
from http import HTTPStatus
from uuid import UUID

from loadtests.witness import Outcome

# Between a try of which nothing is known and the next one.
UNKNOWN_PAUSE_SECONDS = 1.0
# A client of a sale doesn't wait for ever, and the course's end doesn't either.
LONGEST_PAUSE_SECONDS = 5.0
# A first try and two more.
MOST_TRIES = 3
# With `Retry-After`, the server says that nothing was done and that asking again may help (R2).
_LATER = {HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS}
# The answer to a repeat while the first try with its key is under way (R1).
_IN_FLIGHT = "in-flight"
# A business answer, and no error.
_SOLD_OUT = "sold-out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a shopper reads in an answer.

    Attributes:
        outcome: accepted, sold out, refused or unknown.
        status: the answer's status; None if there was none.
        order_id: the accepted order's id, in its usual form; None if it wasn't accepted.
        pause_seconds: after what time to ask again with the same key; None means that the answer is final.
    """

    outcome: Outcome
    status: int | None = None
    order_id: str | None = None
    pause_seconds: float | None = None


NO_ANSWER = Reading(outcome=Outcome.UNKNOWN, pause_seconds=UNKNOWN_PAUSE_SECONDS)


def read_answer(status: int, body: bytes, *, retry_after: str | None) -> Reading:
    """Return what an answer to `POST /api/v1/orders` means.

    Args:
        status: its status.
        body: its whole body.
        retry_after: the header of that name; None if there is none.
    """
    order_id = _order_id(body) if _is_success(status) else None
    if order_id is not None:
        return Reading(outcome=Outcome.OK, status=status, order_id=order_id)
    if status == HTTPStatus.CONFLICT and _field(body, "code") == _SOLD_OUT:
        return Reading(outcome=Outcome.SOLD_OUT, status=status)
    if _leaves_open(status, body):
        return Reading(outcome=Outcome.UNKNOWN, status=status, pause_seconds=UNKNOWN_PAUSE_SECONDS)
    pause = _pause(retry_after) if status in _LATER and retry_after is not None else None
    return Reading(outcome=Outcome.FAIL, status=status, pause_seconds=pause)


def _leaves_open(status: int, body: bytes) -> bool:
    """Return whether the order may have been accepted although the answer has no id."""
    if status == HTTPStatus.CONFLICT:
        return _field(body, "code") == _IN_FLIGHT
    # Not accepted, as 503, is said by those who know it. A gateway's 502 or 504, and a bug's 500, don't say it.
    server_error = status >= HTTPStatus.INTERNAL_SERVER_ERROR and status != HTTPStatus.SERVICE_UNAVAILABLE
    return server_error or _is_success(status)


def _is_success(status: int) -> bool:
    return HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES


def _order_id(body: bytes) -> str | None:
    try:
        return str(UUID(_field(body, "id")))
    except ValueError:
        return None


def _field(body: bytes, name: str) -> str:
    """Return a text in a JSON object, empty if there is no such thing."""
    try:
        document = json.loads(body)
    except ValueError:
        return ""
    value = document.get(name) if isinstance(document, dict) else None
    return value if isinstance(value, str) else ""


def _pause(retry_after: str) -> float:
    # The header may also be a date; ours never is.
    seconds = float(retry_after) if retry_after.isascii() and retry_after.isdigit() else UNKNOWN_PAUSE_SECONDS
    return min(seconds, LONGEST_PAUSE_SECONDS)
