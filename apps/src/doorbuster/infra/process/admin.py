"""Probes and metrics on a port of their own: GET /livez, /readyz and /metrics, in every process.

A few lines of HTTP/1.1 over asyncio, so that a consumer needs no web framework. Each connection serves one request and
has bounds in time, size and number; liveness and readiness depend on no server (R17).
"""

import asyncio
from collections.abc import Callable
from http import HTTPStatus

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest

LONGEST_HEAD_BYTES = 8 * 1024
REQUEST_SECONDS = 5.0
# A scrape, two probes and a person: more at once is a mistake or an attack.
MOST_CONNECTIONS = 32
_PLAIN = "text/plain; charset=utf-8"

log = structlog.get_logger()


class AdminServer:
    """Serves probes and metrics until it is stopped."""

    def __init__(
        self,
        registry: CollectorRegistry = REGISTRY,
        *,
        request_seconds: float = REQUEST_SECONDS,
        host: str = "0.0.0.0",  # noqa: S104 - the kubelet and Prometheus come from outside of the pod
    ) -> None:
        """Take what is served.

        Args:
            registry: the metrics.
            request_seconds: longest time of one connection.
            host: address to listen on.
        """
        self._registry = registry
        self._request_seconds = request_seconds
        self._host = host
        self._ready: Callable[[], bool] = lambda: False
        self._alive: Callable[[], bool] = lambda: True
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def start(self, port: int, *, ready: Callable[[], bool], alive: Callable[[], bool] = lambda: True) -> None:
        """Listen on the port; 0 takes a free one.

        Args:
            port: the TCP port.
            ready: says whether the process can take work; quick and never raises.
            alive: says whether the process still does its work; False has Kubernetes start it anew.

        Raises:
            OSError: the port is taken.
        """
        self._ready = ready
        self._alive = alive
        self._server = await asyncio.start_server(self._accept, self._host, port, limit=LONGEST_HEAD_BYTES)

    @property
    def port(self) -> int:
        """The port that it listens on; 0 when it doesn't."""
        return self._server.sockets[0].getsockname()[1] if self._server and self._server.sockets else 0

    async def stop(self) -> None:
        """Stop listening and end all connections."""
        if self._server is None:
            return
        self._server.close()
        for task in tuple(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await self._server.wait_closed()
        self._server = None

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._connections) >= MOST_CONNECTIONS:
            writer.transport.abort()
            return
        task = asyncio.create_task(self._serve(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ended = False
        try:
            async with asyncio.timeout(self._request_seconds):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(self._respond(head))
                await writer.drain()
                writer.close()
                await writer.wait_closed()
            ended = True
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            # A caller that is gone, too slow or too long; nothing here is worth an answer.
            log.debug("admin_request_dropped")
        finally:
            # asyncio can't abort a transport that has ended after it had to wait for room in the socket.
            if not ended:
                writer.transport.abort()

    def _respond(self, head: bytes) -> bytes:
        method, _, rest = head.partition(b"\r\n")[0].decode("latin-1").partition(" ")
        status, kind, body = self._answer(method, rest.partition(" ")[0].partition("?")[0])
        lines = (
            f"HTTP/1.1 {status.value} {status.phrase}",
            f"Content-Type: {kind}",
            f"Content-Length: {len(body)}",
            "Connection: close",
        )
        return "\r\n".join((*lines, "", "")).encode("latin-1") + (b"" if method == "HEAD" else body)

    def _answer(self, method: str, path: str) -> tuple[HTTPStatus, str, bytes]:
        if method not in {"GET", "HEAD"}:
            return HTTPStatus.METHOD_NOT_ALLOWED, _PLAIN, b"only GET\n"
        match path:
            case "/livez":
                return _probe(self._alive(), otherwise=b"stuck\n")
            case "/readyz":
                return _probe(self._ready(), otherwise=b"not ready\n")
            case "/metrics":
                return HTTPStatus.OK, CONTENT_TYPE_LATEST, generate_latest(self._registry)
            case _:
                return HTTPStatus.NOT_FOUND, _PLAIN, b"there are /livez, /readyz and /metrics\n"


def _probe(passed: bool, *, otherwise: bytes) -> tuple[HTTPStatus, str, bytes]:  # noqa: FBT001  # what it answers
    return (HTTPStatus.OK, _PLAIN, b"ok\n") if passed else (HTTPStatus.SERVICE_UNAVAILABLE, _PLAIN, otherwise)
