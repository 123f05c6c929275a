"""One HTTP server that plays all pods: a lag exporter and consumers, each with a page of its own."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.contracts.metrics_source import Exposed

END_SECONDS = 10.0
FOLDER = "/pods/"


@dataclass(slots=True, kw_only=True)
class Pods:
    """What each pod exposes.

    Attributes:
        gone: pods that don't answer any more.
    """

    address: str
    series: Sequence[Exposed]
    gone: set[str] = field(default_factory=set)

    def page(self, pod: str) -> str | None:
        """Return a pod's page as of now; None when there is no such pod."""
        now = time.time()
        if pod in self.gone:
            return None
        return "".join(_line(each, now) for each in self.series if each.pod == pod)


def _line(series: Exposed, now: float) -> str:
    labels = ",".join(f'{name}="{value}"' for name, value in series.labels.items())
    return f"{series.name}{{{labels}}} {series.value(now)!r}\n"


@contextmanager
def running_pods(series: Sequence[Exposed]) -> Iterator[Pods]:
    """Yield the pods; nobody answers for them when the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = pods.page(self.path.removeprefix(FOLDER))
            if page is None:
                self.send_error(HTTPStatus.SERVICE_UNAVAILABLE)
                return
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the library's name
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

    with Server(("127.0.0.1", 0), Handler) as server:
        pods = Pods(address=f"127.0.0.1:{server.server_address[1]}", series=series)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield pods
        finally:
            server.shutdown()
            thread.join(END_SECONDS)
