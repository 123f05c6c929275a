"""Which problem document stands for which exception."""

from collections.abc import Mapping, Sequence
from typing import cast

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from doorbuster.api.problems import Code, FieldError, Problem, ProblemRaised, problem_response
from doorbuster.kernel.errors import BrokerUnavailable, DoorbusterError, NotAccepted, OutcomeUnknown, Overloaded

# A body may be wrong in thousands of places; a person reads the first few.
MOST_FIELD_ERRORS = 20
# A name that we don't know is the client's, and as long as it likes.
LONGEST_FIELD = 100

INTERNAL_ERROR = Problem(
    status=500, code=Code.INTERNAL, detail="Something went wrong here. Name the instance when you tell us."
)
OVERLOADED = Problem(status=503, code=Code.OVERLOADED, detail="Too many requests at once; nothing was done.")
_NOT_ACCEPTED = Problem(status=503, code=Code.NOT_ACCEPTED, detail="Nothing was done; try the same request again.")
_BROKER_UNAVAILABLE = Problem(
    status=503, code=Code.BROKER_UNAVAILABLE, detail="Orders are not accepted until messages flow again."
)
_OUTCOME_UNKNOWN = Problem(
    status=504,
    code=Code.OUTCOME_UNKNOWN,
    detail="Perhaps it was done. Repeat the request, with the same Idempotency-Key if it has one, to learn it.",
)
_CODES_BY_STATUS: Mapping[int, Code] = {
    404: Code.NOT_FOUND,
    405: Code.METHOD_NOT_ALLOWED,
    413: Code.BODY_TOO_LARGE,
    415: Code.UNSUPPORTED_MEDIA_TYPE,
}

log = structlog.get_logger()


def install(app: FastAPI) -> None:
    """Make the application answer every exception with a problem document."""
    app.add_exception_handler(ProblemRaised, _problem_raised)
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(HTTPException, _http_exception)
    app.add_exception_handler(DoorbusterError, _doorbuster_error)
    app.add_exception_handler(ClientDisconnect, _disconnected)
    app.add_exception_handler(Exception, _unexpected)


def invalid(errors: Sequence[FieldError], *, code: str = Code.INVALID_REQUEST) -> Problem:
    """Return the problem of a request whose fields are wrong."""
    return Problem(
        status=422,
        code=code,
        detail="The request is not valid; see errors.",
        errors=tuple(errors[:MOST_FIELD_ERRORS]),
    )


def field_path(location: Sequence[str | int]) -> str:
    """Return where in a body something is, in the form `lines[0].quantity`; the body itself is `body`."""
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}"
    return path.removeprefix(".")[:LONGEST_FIELD] or "body"


async def _problem_raised(_request: Request, exc: Exception) -> Response:
    return problem_response(cast("ProblemRaised", exc).problem)


async def _invalid_request(_request: Request, exc: Exception) -> Response:
    """Answer a wrong parameter in path or query; bodies are checked in `commands`."""
    errors = cast("RequestValidationError", exc).errors()
    return problem_response(
        invalid([FieldError(field=field_path(error["loc"][1:]), message=error["msg"]) for error in errors])
    )


async def _http_exception(request: Request, exc: Exception) -> Response:
    error = cast("HTTPException", exc)
    code = _CODES_BY_STATUS.get(error.status_code, Code.OTHER)
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers |= _allow(request)
    return problem_response(Problem(status=error.status_code, code=code, detail=str(error.detail), headers=headers))


def _allow(request: Request) -> Mapping[str, str]:
    """Return `Allow` with all methods of the path; Starlette names the first route's, and each method is one."""
    path = getattr(request.scope.get("route"), "path", None)
    methods = request.app.openapi()["paths"].get(path, {})
    return {"Allow": ", ".join(sorted(method.upper() for method in methods))} if methods else {}


async def _doorbuster_error(_request: Request, exc: Exception) -> Response:
    match exc:
        case Overloaded():
            problem = OVERLOADED
        case BrokerUnavailable():
            problem = _BROKER_UNAVAILABLE
        case NotAccepted():
            problem = _NOT_ACCEPTED
        case OutcomeUnknown():
            problem = _OUTCOME_UNKNOWN
        case _:
            log.error("request_failed", exc_info=exc)
            problem = INTERNAL_ERROR
    return problem_response(problem)


async def _disconnected(_request: Request, _exc: Exception) -> Response:
    """Answer a client that went away while it sent its body: nobody reads this."""
    return Response(status_code=400)


async def _unexpected(_request: Request, _exc: Exception) -> Response:
    """Answer a bug; Starlette raises the exception again and the outermost middleware logs it."""
    return problem_response(INTERNAL_ERROR)
