"""GET /healthz on a port of its own, for the kubelet.

Kopf has such an endpoint, but it isn't there before kopf runs, and that may wait for the kind to be served for as long
as it likes. Answered on the event loop: a loop that is blocked answers nothing, and the kubelet restarts the pod.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus

REQUEST_SECONDS = 2.0
LONGEST_HEAD_BYTES = 8 * 1024
PATH = "/healthz"

Check = Callable[[], object]


@asynccontextmanager
async def serving(
    check: Check,
    *,
    port: int,
    host: str = "0.0.0.0",  # noqa: S104  # the kubelet comes from outside of the pod
) -> AsyncIterator[int]:
    """Answer while the context lasts; yields the port.

    Args:
        check: raises when the process should be started anew; the error's text is the answer.
        port: the TCP port; 0 takes a free one.
        host: address to listen on.

    Raises:
        OSError: the port is taken.
    """

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(_response(head, check))
                await writer.drain()
                writer.close()
                await writer.wait_closed()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            # Whoever asked is gone, too slow or too long.
            return
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(answer, host, port, limit=LONGEST_HEAD_BYTES)
    async with server:
        yield server.sockets[0].getsockname()[1]


def _response(head: bytes, check: Check) -> bytes:
    method, _, rest = head.partition(b"\r\n")[0].decode("latin-1").partition(" ")
    status, text = _answer(method, rest.partition(" ")[0], check)
    body = f"{text}\n".encode()
    lines = (
        f"HTTP/1.1 {status.value} {status.phrase}",
        "Content-Type: text/plain; charset=utf-8",
        f"Content-Length: {len(body)}",
        "Connection: close",
    )
    return "\r\n".join((*lines, "", "")).encode("latin-1") + body


def _answer(method: str, path: str, check: Check) -> tuple[HTTPStatus, str]:
    if method != "GET":
        return HTTPStatus.METHOD_NOT_ALLOWED, "only GET"
    if path != PATH:
        return HTTPStatus.NOT_FOUND, f"there is {PATH}"
    try:
        check()
    except Exception as error:  # noqa: BLE001 - whatever is wrong, it is the answer
        return HTTPStatus.SERVICE_UNAVAILABLE, str(error)
    return HTTPStatus.OK, "ok"
