"""A client of streams: httpx's own transport gives an answer only when it is complete."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Message, Receive, Scope, Send

SOON = 5.0


@dataclass
class Reader:
    """One request's reader, who reads as long as `reads` is set, and stays until `leave`.

    Attributes:
        status: None until the answer has begun.
        complete: whether the answer was ended in the regular way.
    """

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    complete: bool = False
    reads: asyncio.Event = field(default_factory=asyncio.Event)
    _chunks: "asyncio.Queue[bytes]" = field(default_factory=asyncio.Queue)
    _left: asyncio.Event = field(default_factory=asyncio.Event)

    async def chunk(self) -> str:
        """Return the next piece of the answer."""
        async with asyncio.timeout(SOON):
            return (await self._chunks.get()).decode()

    def leave(self) -> None:
        """Close the connection."""
        self._left.set()

    async def receive(self) -> Message:
        """Give the application the client's part."""
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Take the application's part, if the reader reads."""
        await self.reads.wait()
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
            return
        self.complete = not message.get("more_body", False)
        if message["body"]:
            self._chunks.put_nowait(message["body"])


@asynccontextmanager
async def following(
    app: ASGIApp, path: str, headers: Mapping[str, str], *, reads: bool = True
) -> AsyncIterator[tuple[Reader, "asyncio.Task[None]"]]:
    """Yield the reader of a GET, and the request's task; the client leaves at the end."""
    reader = Reader()
    if reads:
        reader.reads.set()
    task = asyncio.ensure_future(_served(app, _scope(path, headers), reader.receive, reader.send))
    try:
        yield reader, task
    finally:
        reader.leave()
        reader.reads.set()
        async with asyncio.timeout(SOON):
            await task


async def _served(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    await app(scope, receive, send)


def _scope(path: str, headers: Mapping[str, str]) -> Scope:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "server": ("doorbuster.test", 80),
        "client": ("127.0.0.1", 1),
    }
