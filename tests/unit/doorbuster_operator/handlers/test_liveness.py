import asyncio

import pytest

from doorbuster_operator.handlers.liveness import serving


async def asked(port: int, request: bytes) -> tuple[str, str]:
    """The first and the last line of an answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    lines = (await reader.read()).decode().splitlines()
    writer.close()
    await writer.wait_closed()
    return lines[0], lines[-1]


def well() -> None:
    """Nothing is wrong."""


def stuck() -> None:
    raise RuntimeError("the last tick ended 31 s ago")


@pytest.mark.parametrize(
    ("check", "request_line", "answer"),
    [
        (well, b"GET /healthz HTTP/1.1", ("HTTP/1.1 200 OK", "ok")),
        (stuck, b"GET /healthz HTTP/1.1", ("HTTP/1.1 503 Service Unavailable", "the last tick ended 31 s ago")),
        (well, b"GET / HTTP/1.1", ("HTTP/1.1 404 Not Found", "there is /healthz")),
        (well, b"POST /healthz HTTP/1.1", ("HTTP/1.1 405 Method Not Allowed", "only GET")),
    ],
)
async def test_the_kubelet_is_told_how_it_is(check: object, request_line: bytes, answer: tuple[str, str]) -> None:
    assert callable(check)
    async with serving(check, port=0, host="127.0.0.1") as port:
        assert await asked(port, request_line + b"\r\nHost: pod\r\n\r\n") == answer


async def test_a_caller_that_leaves_harms_nobody() -> None:
    async with serving(well, port=0, host="127.0.0.1") as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.transport.abort()

        assert await asked(port, b"GET /healthz HTTP/1.1\r\n\r\n") == ("HTTP/1.1 200 OK", "ok")
