import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from prometheus_client import CollectorRegistry, Counter

from doorbuster.infra.process.admin import LONGEST_HEAD_BYTES, MOST_CONNECTIONS, AdminServer

DEADLINE_SECONDS = 5.0


@asynccontextmanager
async def admin(*, ready: bool = True, request_seconds: float = 5.0, text: str = "Sales") -> AsyncIterator[AdminServer]:
    registry = CollectorRegistry()
    Counter("sales", text, registry=registry).inc(3)
    server = AdminServer(registry, request_seconds=request_seconds, host="127.0.0.1")
    await server.start(0, ready=lambda: ready)
    try:
        yield server
    finally:
        await server.stop()


async def get(server: AdminServer, path: str, method: str = "GET") -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False) as client:
        return await client.request(method, f"http://127.0.0.1:{server.port}{path}")


async def answer_to(server: AdminServer, sent: bytes) -> bytes:
    """Return all that comes back before the server closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(sent)
    try:
        return await asyncio.wait_for(reader.read(), DEADLINE_SECONDS)
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


async def test_metrics_are_served() -> None:
    async with admin() as server:
        response = await get(server, "/metrics")

    assert response.status_code == 200
    assert "sales_total 3.0" in response.text
    assert response.headers["content-type"].startswith("text/plain")


async def test_an_answer_that_does_not_fit_into_the_socket_ends_in_peace() -> None:
    client, socket_of_server = socket.socketpair()
    socket_of_server.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
    async with admin(text="x" * 40_000) as server:
        serving = asyncio.create_task(server._serve(*await asyncio.open_connection(sock=socket_of_server)))
        with client:
            client.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
            answer = await asyncio.to_thread(read_to_the_end, client)
        await serving

    assert b"sales_total 3.0" in answer


def read_to_the_end(client: socket.socket) -> bytes:
    client.settimeout(DEADLINE_SECONDS)
    return b"".join(iter(lambda: client.recv(65_536), b""))


@pytest.mark.parametrize(("ready", "status"), [(True, 200), (False, 503)])
async def test_readiness_is_what_the_process_says(ready: bool, status: int) -> None:  # noqa: FBT001
    async with admin(ready=ready) as server:
        assert (await get(server, "/readyz")).status_code == status
        assert (await get(server, "/livez?verbose")).status_code == 200


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/other", 404), ("POST", "/livez", 405)])
async def test_nothing_else_is_served(method: str, path: str, status: int) -> None:
    async with admin() as server:
        assert (await get(server, path, method)).status_code == status


async def test_head_has_no_body() -> None:
    async with admin() as server:
        assert (await get(server, "/livez", "HEAD")).content == b""


async def test_a_request_that_never_ends_is_dropped() -> None:
    async with admin(request_seconds=0.05) as server:
        assert await answer_to(server, b"GET /livez HTTP/1.1\r\n") == b""


async def test_a_request_that_is_too_long_is_dropped() -> None:
    async with admin() as server:
        assert await answer_to(server, b"GET /" + b"a" * 3 * LONGEST_HEAD_BYTES) == b""


async def test_more_connections_than_the_bound_are_dropped() -> None:
    async with admin() as server:
        waiting = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(MOST_CONNECTIONS)]
        assert await answer_to(server, b"GET /livez HTTP/1.1\r\n\r\n") == b""
        for _, writer in waiting:
            writer.close()


async def test_stop_ends_open_connections() -> None:
    async with admin() as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        await server.stop()
        with pytest.raises((ConnectionResetError, EOFError)):
            await asyncio.wait_for(reader.readexactly(1), DEADLINE_SECONDS)
        writer.close()
