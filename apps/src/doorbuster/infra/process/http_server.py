"""Uvicorn as our processes run it: uvloop and httptools or nothing, our logs, our way to end."""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Generator

import uvicorn
import uvloop
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# A client that thinks between two requests keeps its connection; the ingress keeps its own for 60 to 90 seconds.
KEEP_ALIVE_SECONDS = 90


class SlowServer(Exception):
    """Not uvloop and httptools, which are five times as fast as what Uvicorn takes without them."""


class _Server(uvicorn.Server):
    """Leaves signals to the process: Uvicorn would raise them again when it has ended well."""

    def __init__(self, config: uvicorn.Config, listening: Callable[[], None]) -> None:
        super().__init__(config)
        self._listening = listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and say so."""
        await super().startup(sockets)
        self._listening()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Capture none."""
        yield


async def serve_until(
    stop: asyncio.Event,
    app: ASGIApp,
    *,
    port: int,
    drain_seconds: float,
    listening: Callable[[], None],
    ending: Callable[[], None] = lambda: None,
) -> None:
    """Serve the application until the event is set; then take no new requests, and end when the open ones have.

    Args:
        stop: ends it.
        app: the application.
        port: on all addresses.
        drain_seconds: longest time for open requests to end.
        listening: is called when requests are taken.
        ending: is called when it is to end, before open requests are waited for.

    Raises:
        SlowServer: the loop isn't uvloop's, or httptools isn't there.
        OSError: the port is taken.
    """
    config = uvicorn.Config(
        app,
        host="0.0.0.0",  # noqa: S104 - a pod's address isn't known before
        port=port,
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        # Nobody here asks for the client's address, so nobody may claim one.
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=int(drain_seconds),
    )
    config.load()
    if not isinstance(asyncio.get_running_loop(), uvloop.Loop) or config.http_protocol_class is not HttpToolsProtocol:
        raise SlowServer
    server = _Server(config, listening)
    sockets = [config.bind_socket()]
    watch = asyncio.create_task(_end(server, stop, ending), name="end-server")
    try:
        await server.serve(sockets)
    finally:
        watch.cancel()
        for each in sockets:
            each.close()


async def _end(server: uvicorn.Server, stop: asyncio.Event, ending: Callable[[], None]) -> None:
    await stop.wait()
    ending()
    server.should_exit = True
