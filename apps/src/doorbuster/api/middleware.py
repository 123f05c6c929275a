"""Pure ASGI middleware: trace, metrics, bounds. Each costs a microsecond; Starlette's own base class costs ninety."""

from collections.abc import Callable
from time import perf_counter

import structlog
from prometheus_client import Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from doorbuster.api.errors import INTERNAL_ERROR, OVERLOADED
from doorbuster.api.problems import Code, Problem, ProblemRaised, problem_response
from doorbuster.infra import tracing
from doorbuster.infra.telemetry import HTTP_REQUEST_SECONDS

LONGEST_BODY_BYTES = 64 * 1024
# Each may hold a body: 64 MiB together. The coalescers' own bounds are lower and refuse first.
MOST_REQUESTS = 1_000
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
_BODY_TOO_LARGE = Problem(
    status=413,
    code=Code.BODY_TOO_LARGE,
    detail=f"A body has at most {LONGEST_BODY_BYTES} bytes.",
    # What is left of it is not read.
    headers={"Connection": "close"},
)

log = structlog.get_logger()


class TraceAndMeasure:
    """The outermost: gives each request its trace, measures it by route template, and lets no exception out."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        # `labels()` takes longer than all the rest, so its results are kept: routes, methods and classes are few.
        self._observers: dict[tuple[str, str, int], Histogram] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        token = tracing.enter_trace(Headers(scope=scope).get(tracing.HEADER))
        answer = _Answer(send)
        begin = perf_counter()
        try:
            await self._app(scope, receive, answer.send)
        except Exception:
            log.exception("request_failed", route=_route(scope))
            if answer.status is None:
                await problem_response(INTERNAL_ERROR)(scope, receive, answer.send)
        finally:
            self._observe(scope, answer.status, (answer.streams_since or perf_counter()) - begin)
            tracing.leave_trace(token)

    def _observe(self, scope: Scope, status: int | None, seconds: float) -> None:
        # 499: the client went away and nothing was sent.
        labels = (_route(scope), _method(scope), (status or 499) // 100)
        observer = self._observers.get(labels)
        if observer is None:
            observer = HTTP_REQUEST_SECONDS.labels(labels[0], labels[1], f"{labels[2]}xx")
            self._observers[labels] = observer
        observer.observe(seconds)


class _Answer:
    """Passes an answer on, remembers its status, and adds the headers that every answer has."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status: int | None = None
        self.streams_since: float | None = None
        """When a stream began to answer; what comes later is no time that somebody waited."""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["X-Content-Type-Options"] = "nosniff"
            # A route that knows how long its answer is right says so.
            headers.setdefault("Cache-Control", "no-store")
            headers["X-Trace-Id"] = tracing.current_trace_id() or ""
            if _begins_stream(message):
                self.streams_since = perf_counter()
        await self._send(message)


class Bounded:
    """Refuses what is too much: requests at once, and bytes of a body, also of one that doesn't say its length."""

    def __init__(self, app: ASGIApp, most_requests: int = MOST_REQUESTS) -> None:
        self._app = app
        self._most_requests = most_requests
        self._open = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._open >= self._most_requests:
            await problem_response(OVERLOADED)(scope, receive, send)
            return
        if _says_too_long(scope):
            await problem_response(_BODY_TOO_LARGE)(scope, receive, send)
            return
        self._open += 1
        place = _Place(self._leave)
        try:
            await self._app(scope, _counted(receive), place.until_stream(send))
        finally:
            place.leave()

    def _leave(self) -> None:
        self._open -= 1


class _Place:
    """One of the requests at once. A stream leaves it when it begins: streams have a bound of their own."""

    def __init__(self, leave: Callable[[], None]) -> None:
        self._leave = leave
        self._left = False

    def leave(self) -> None:
        if not self._left:
            self._left = True
            self._leave()

    def until_stream(self, send: Send) -> Send:
        async def passed_on(message: Message) -> None:
            if _begins_stream(message):
                self.leave()
            await send(message)

        return passed_on


def _begins_stream(message: Message) -> bool:
    if message["type"] != "http.response.start":
        return False
    return any(name == b"content-type" and value.startswith(b"text/event-stream") for name, value in message["headers"])


def _says_too_long(scope: Scope) -> bool:
    length = Headers(scope=scope).get("content-length", "0")
    return length.isdecimal() and int(length[:20]) > LONGEST_BODY_BYTES


def _counted(receive: Receive) -> Receive:
    received = 0

    async def count() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > LONGEST_BODY_BYTES:
            raise ProblemRaised(_BODY_TOO_LARGE)
        return message

    return count


def _route(scope: Scope) -> str:
    return getattr(scope.get("route"), "path", "unmatched")


def _method(scope: Scope) -> str:
    # Anybody can invent methods, and a label has few values.
    return scope["method"] if scope["method"] in _METHODS else "OTHER"
