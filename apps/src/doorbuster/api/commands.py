"""The way of a POST: a body that is checked strictly, an idempotency key, an outcome (R1)."""

import asyncio
import hashlib
import re
from dataclasses import dataclass
from typing import Annotated, TypeVar
from uuid import UUID

import msgspec
from fastapi import Depends, Request
from pydantic import ValidationError
from starlette.responses import Response

from doorbuster.api.answers import is_replay
from doorbuster.api.auth import CurrentUser
from doorbuster.api.errors import field_path, invalid
from doorbuster.api.json_names import repeated_name
from doorbuster.api.problems import MEDIA_TYPE, Code, FieldError, Problem, ProblemRaised, problem_response
from doorbuster.api.schemas import Command
from doorbuster.api.use_cases import Commands, use_cases_of
from doorbuster.infra.batches.answers import Answer, BodyMismatch, Refused
from doorbuster.infra.batches.idempotency_keys import Keyed
from doorbuster.infra.batches.in_flight import KeyInFlight
from doorbuster.infra.telemetry import BUSINESS_REFUSALS
from doorbuster.infra.tracing import current_trace_id
from doorbuster.kernel.ids import UserId

KEY_HEADER = "Idempotency-Key"
REPLAYED_HEADER = "Idempotency-Replayed"
# Slower than any honest client: a body is 64 KiB at most.
BODY_SECONDS = 5.0
KEY_PATTERN = r"[!-~]{1,255}"
_KEY = re.compile(KEY_PATTERN)
_KEY_MISSING = Problem(
    status=400,
    code=Code.KEY_MISSING,
    detail=f"Send {KEY_HEADER}: a new name for this intent, the same one in each repeat.",
    errors=(FieldError(field=KEY_HEADER, message="is missing"),),
)
_KEY_MALFORMED = Problem(
    status=400,
    code=Code.KEY_MALFORMED,
    detail=f"{KEY_HEADER} has 1 to 255 visible ASCII characters and is sent once.",
    errors=(FieldError(field=KEY_HEADER, message="is malformed"),),
)
_KEY_REUSED = Problem(
    status=422,
    code=Code.KEY_REUSED,
    detail="This key was used with another body.",
    errors=(FieldError(field=KEY_HEADER, message="was used with another body"),),
)
_IN_FLIGHT = Problem(
    status=409,
    code=Code.IN_FLIGHT,
    detail="A request with this key is being worked on; repeat it in a moment.",
    headers={"Retry-After": "1"},
)
_NO_JSON = Problem(status=415, code=Code.UNSUPPORTED_MEDIA_TYPE, detail="Send application/json.")
_TOO_SLOW = Problem(
    status=408,
    code=Code.BODY_TOO_SLOW,
    detail=f"The body didn't arrive within {BODY_SECONDS:.0f} seconds.",
    headers={"Connection": "close"},
)

B = TypeVar("B", bound=Command)
C = TypeVar("C")


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """Who means something, and under which key.

    Attributes:
        key_id: SHA-256 of the user, the route's template and the client's key (R1).
        minted: the id of what the command will make, if it is new.
    """

    user_id: UserId
    key_id: bytes
    minted: UUID


async def new_intent(request: Request, user_id: CurrentUser) -> Intent:
    """Return the intent of a request that carries a token and a key; any other request ends here."""
    keys = request.headers.getlist(KEY_HEADER)
    if not keys:
        raise ProblemRaised(_KEY_MISSING)
    if len(keys) > 1 or not _KEY.fullmatch(keys[0]):
        raise ProblemRaised(_KEY_MALFORMED)
    scope = f"{user_id}\n{request.scope['route'].path}\n{keys[0]}"
    return Intent(
        user_id=user_id, key_id=hashlib.sha256(scope.encode()).digest(), minted=use_cases_of(request).new_id()
    )


NewIntent = Annotated[Intent, Depends(new_intent)]


async def read_body(request: Request, model: type[B]) -> B:
    """Return the request's body.

    Not left to FastAPI, which reads a body before it looks at the token, and through a parser without our bounds.

    Raises:
        ProblemRaised: it isn't JSON, or not of this form, or doesn't come.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise ProblemRaised(_NO_JSON)
    try:
        async with asyncio.timeout(BODY_SECONDS):
            raw = await request.body()
    except TimeoutError as exc:
        raise ProblemRaised(_TOO_SLOW) from exc
    try:
        body = model.model_validate_json(raw)
    except ValidationError as exc:
        raise ProblemRaised(_problem_of(exc)) from exc
    repeated = repeated_name(raw)
    if repeated is not None:
        raise ProblemRaised(invalid([FieldError(field=field_path([repeated]), message="stands there twice")]))
    return body


async def read_optional_body(request: Request, model: type[B]) -> B | None:
    """Return the request's body; None if there is none.

    Raises:
        ProblemRaised: there is one, and `read_body` refuses it.
    """
    try:
        async with asyncio.timeout(BODY_SECONDS):
            # What is read stays with the request, so reading it again costs nothing.
            raw = await request.body()
    except TimeoutError as exc:
        raise ProblemRaised(_TOO_SLOW) from exc
    return await read_body(request, model) if raw else None


async def run(commands: Commands[C], intent: Intent, *, body: Command, command: C) -> Response:
    """Return the response to a command; the same bytes as before for a repeat.

    Args:
        commands: the use case.
        intent: whose command it is, and under which key.
        body: as the client sent it, checked.
        command: what it stands for.
    """
    # Canonical: the checked values in the model's order, however the client wrote them. What is absent leaves no trace,
    # so that a field more in the next release changes no body that was sent before.
    canonical = body.model_dump_json(exclude_none=True).encode()
    keyed = Keyed(
        key_id=intent.key_id,
        body_hash=hashlib.sha256(canonical).digest(),
        body_bytes=len(canonical),
        attempt=intent.minted,
        command=command,
    )
    try:
        outcome = await commands.run(keyed, user=intent.user_id)
    except KeyInFlight as exc:
        raise ProblemRaised(_IN_FLIGHT) from exc
    match outcome:
        case Answer():
            return _answered(outcome, intent.minted)
        case Refused(status=status, body=refusal):
            if status == 409:
                _count_refusal(refusal)
            return Response(_with_instance(refusal), status_code=status, media_type=MEDIA_TYPE)
        case BodyMismatch():
            return problem_response(_KEY_REUSED)


def _answered(answer: Answer, minted: UUID) -> Response:
    replayed = is_replay(answer, minted)
    is_refusal = answer.status == 409
    if is_refusal and not replayed:
        _count_refusal(answer.body)
    return Response(
        answer.body,
        status_code=answer.status,
        headers={REPLAYED_HEADER: "true"} if replayed else None,
        media_type=MEDIA_TYPE if is_refusal else "application/json",
    )


class _Coded(msgspec.Struct):
    code: str


def _count_refusal(body: bytes) -> None:
    BUSINESS_REFUSALS.labels(msgspec.json.decode(body, type=_Coded).code).inc()


def _with_instance(body: bytes) -> bytes:
    return msgspec.json.encode({**msgspec.json.decode(body), "instance": current_trace_id()})


def _problem_of(error: ValidationError) -> Problem:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    errors = [FieldError(field=field_path(each["loc"]), message=each["msg"]) for each in found]
    if found[0]["type"] == "json_invalid":
        return Problem(status=400, code=Code.MALFORMED_JSON, detail="The body is no JSON.", errors=tuple(errors))
    return invalid(errors)
