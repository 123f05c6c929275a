"""Stands between a client and MySQL and does what networks do: loses answers, cuts connections, falls silent.

It knows as much of the protocol as that takes: packets have a head of four bytes, a command is number 0 of its
exchange. It can't look into TLS.
"""

import asyncio
from contextlib import suppress
from enum import StrEnum
from types import TracebackType
from typing import Self

HEAD_BYTES = 4
CHUNK_BYTES = 65536
QUERY = b"\x03"
COMMIT = QUERY + b"COMMIT"


class CommitFate(StrEnum):
    """What happens to a COMMIT."""

    ANSWERED = "answered"
    ANSWER_LOST = "answer-lost"
    """The server commits and answers; then the connection is cut instead of passing the answer on."""
    NEVER_SENT = "never-sent"
    """The connection is cut instead of passing the COMMIT on."""
    ANSWER_HELD = "answer-held"
    """The server commits and answers; its answer waits until `release`."""


class TcpProxy:
    """Listens on a port of its own while its context lasts; closes all connections then."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._links: set[_Link] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.passing = asyncio.Event()
        """While this is clear nothing is passed on, in either direction, on any connection."""
        self.passing.set()
        self.commit_answered = asyncio.Event()
        """Set when the server has answered a COMMIT that wasn't to be answered at once."""
        self.next_commit = CommitFate.ANSWERED
        """What happens to the next COMMIT; those after it are answered."""
        self.held_answer: bytes | None = None
        """What `release` passes on instead of the server's answer; None means the answer."""
        self.commands: list[bytes] = []
        """The texts of all statements that clients sent, in their order."""
        self.accepted = 0
        """Connections so far."""

    @property
    def port(self) -> int:
        """Where clients connect to, on 127.0.0.1."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """Reset all connections; new ones are accepted."""
        for link in self._links:
            link.cut()

    def release(self) -> None:
        """Pass on the answers that are held."""
        for link in self._links:
            link.release()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.accepted += 1
        try:
            # Cancelled by the end of the context: the server of asyncio would take that for a failure.
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self.passing.wait()
                server_reader, server_writer = await asyncio.open_connection(*self._target)
                link = _Link(self, client=writer, server=server_writer)
                self._links.add(link)
                await link.run(reader, server_reader)
        finally:
            writer.transport.abort()
            self._tasks.discard(task)


class _Link:
    def __init__(self, proxy: TcpProxy, *, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self._proxy = proxy
        self._client = client
        self._server = server
        self._held: list[bytes] = []
        self._fate = CommitFate.ANSWERED

    async def run(self, from_client: asyncio.StreamReader, from_server: asyncio.StreamReader) -> None:
        directions = [
            asyncio.create_task(self._pass_commands(from_client)),
            asyncio.create_task(self._pass_answers(from_server)),
        ]
        try:
            await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.cut()
            for direction in directions:
                direction.cancel()
            await asyncio.gather(*directions, return_exceptions=True)

    def cut(self) -> None:
        self._client.transport.abort()
        self._server.transport.abort()

    def release(self) -> None:
        self._fate = CommitFate.ANSWERED
        self._client.writelines(self._held)
        self._held.clear()

    async def _pass_commands(self, reader: asyncio.StreamReader) -> None:
        while True:
            head = await reader.readexactly(HEAD_BYTES)
            payload = await reader.readexactly(int.from_bytes(head[:3], "little"))
            await self._proxy.passing.wait()
            if head[3] == 0 and payload.startswith(QUERY):
                self._proxy.commands.append(payload[1:])
            if head[3] == 0 and payload == COMMIT:
                self._fate, self._proxy.next_commit = self._proxy.next_commit, CommitFate.ANSWERED
                if self._fate is CommitFate.NEVER_SENT:
                    return
            self._server.write(head + payload)

    async def _pass_answers(self, reader: asyncio.StreamReader) -> None:
        while answer := await reader.read(CHUNK_BYTES):
            await self._proxy.passing.wait()
            if self._fate is CommitFate.ANSWERED:
                self._client.write(answer)
                continue
            self._proxy.commit_answered.set()
            if self._fate is CommitFate.ANSWER_LOST:
                return
            self._held.append(self._proxy.held_answer or answer)
