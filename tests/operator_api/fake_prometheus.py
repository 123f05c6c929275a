"""An HTTP server that stands for Prometheus: it answers instant queries of selectors from series that a test sets.

It knows selectors, alone or with a range: what the operator asks (P17). Anything else is refused with Prometheus' own
kind of error, so that a query which only a real one can answer fails here and not in the cluster.
"""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

SCRAPE_SECONDS = 5
# What Prometheus takes into account when it is asked for one instant.
LOOKBACK_SECONDS = 300
# A hanging answer ends with the test; this is for a test that forgot.
LONGEST_HANG_SECONDS = 60.0
END_SECONDS = 10.0

SELECTOR = re.compile(r"^\s*(?P<name>[a-zA-Z_:][\w:]*)?\s*(\{(?P<matchers>.*)\})?\s*(\[(?P<range>\d+)s\])?\s*$", re.S)
MATCHER = re.compile(r'\s*(\w+)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"\s*(?:,|$)')

Value = Callable[[float], float | None]
Matches = Callable[[Mapping[str, str]], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One series.

    Attributes:
        labels: its labels; `__name__` is the metric.
        value: its value at a time in seconds since 1970; None where there was no sample.
    """

    labels: Mapping[str, str]
    value: Value

    def samples(self, start: float, end: float, *, step: int) -> list[list[float | str]]:
        """Return the samples in a range, one every `step` seconds, oldest first, as Prometheus writes them."""
        first = int(start // step + 1) * step
        found = ((at, self.value(at)) for at in range(first, int(end) + 1, step))
        return [[at, repr(float(value))] for at, value in found if value is not None]


class Behaviour(Enum):
    """What the server does with a query."""

    ANSWER = auto()
    FAIL = auto()
    HANG = auto()


@dataclass(slots=True, kw_only=True)
class FakePrometheus:
    """What the server knows, and what it was asked.

    Attributes:
        series: what it has scraped.
        behaviour: what it does from now on.
        scrape_seconds: time between two samples of a series.
        queries: all queries so far.
    """

    address: str
    series: Sequence[Series] = ()
    behaviour: Behaviour = Behaviour.ANSWER
    scrape_seconds: int = SCRAPE_SECONDS
    queries: list[str] = field(default_factory=list)
    _release: threading.Event = field(default_factory=threading.Event)

    def answer(self, query: str) -> tuple[HTTPStatus, Any]:
        """Return status and document for a query."""
        self.queries.append(query)
        if self.behaviour is Behaviour.HANG:
            self._release.wait(LONGEST_HANG_SECONDS)
        if self.behaviour is Behaviour.FAIL:
            return HTTPStatus.SERVICE_UNAVAILABLE, {"status": "error", "errorType": "unavailable", "error": "told to"}
        try:
            return HTTPStatus.OK, {"status": "success", "data": self._data(query)}
        except ValueError as problem:
            return HTTPStatus.BAD_REQUEST, {"status": "error", "errorType": "bad_data", "error": str(problem)}

    def release(self) -> None:
        """Let everything that hangs go."""
        self._release.set()

    def _data(self, query: str) -> Any:
        now = time.time()
        matches, seconds = parsed(query)
        found = [series for series in self.series if matches(series.labels)]
        start = now - (seconds or LOOKBACK_SECONDS)
        ranges = [(series, series.samples(start, now, step=self.scrape_seconds)) for series in found]
        if seconds is None:
            instants = [
                {"metric": dict(series.labels), "value": [now, samples[-1][1]]} for series, samples in ranges if samples
            ]
            return {"resultType": "vector", "result": instants}
        matrix = [{"metric": dict(series.labels), "values": samples} for series, samples in ranges if samples]
        return {"resultType": "matrix", "result": matrix}


def parsed(query: str) -> tuple[Matches, int | None]:
    """Return what a selector selects, and its range in seconds; None when it has none.

    Raises:
        ValueError: it is no selector.
    """
    found = SELECTOR.match(query)
    if found is None or not (found["name"] or found["matchers"]):
        raise ValueError(f"not a selector: {query}")
    conditions = [_condition(*parts) for parts in _matchers(found["matchers"] or "")]
    if found["name"]:
        conditions.append(_condition("__name__", "=", found["name"]))
    return lambda labels: all(condition(labels) for condition in conditions), (
        int(found["range"]) if found["range"] else None
    )


def _matchers(text: str) -> list[tuple[str, str, str]]:
    found, position = [], 0
    while position < len(text.rstrip()):
        matcher = MATCHER.match(text, position)
        if matcher is None:
            raise ValueError(f"not a matcher: {text[position:]}")
        found.append((matcher[1], matcher[2], re.sub(r"\\(.)", r"\1", matcher[3])))
        position = matcher.end()
    return found


def _condition(label: str, operator: str, value: str) -> Matches:
    # Prometheus anchors its patterns, and takes a label that isn't there for an empty one.
    if operator in {"=", "!="}:
        return lambda labels: (labels.get(label, "") == value) == (operator == "=")
    pattern = re.compile(value)
    return lambda labels: bool(pattern.fullmatch(labels.get(label, ""))) == (operator == "=~")


class _Handler(BaseHTTPRequestHandler):
    prometheus: FakePrometheus

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self._reply(parts.path, parts.query)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
        self._reply(urlsplit(self.path).path, body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name that http.server calls it by
        """Say nothing: pytest would show it beside every failure."""

    def _reply(self, path: str, parameters: str) -> None:
        if path != "/api/v1/query":
            self._send(HTTPStatus.NOT_FOUND, {})
            return
        query = parse_qs(parameters).get("query", [""])[0]
        self._send(*self.prometheus.answer(query))

    def _send(self, status: HTTPStatus, document: Any) -> None:
        body = json.dumps(document).encode()
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            self.close_connection = True  # who asked didn't want to wait any longer


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False


@contextmanager
def running_prometheus() -> Iterator[FakePrometheus]:
    """Yield a server that knows nothing yet."""

    class OwnHandler(_Handler):
        """Of this one server."""

    with _Server(("127.0.0.1", 0), OwnHandler) as server:
        prometheus = FakePrometheus(address=f"http://127.0.0.1:{server.server_address[1]}")
        OwnHandler.prometheus = prometheus
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="prometheus")
        thread.start()
        try:
            yield prometheus
        finally:
            prometheus.release()
            server.shutdown()
            thread.join(END_SECONDS)
