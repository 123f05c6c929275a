"""A connection that doesn't come about fails in one way, whoever answers (R7, R18)."""

import asyncio
from typing import Any

import pytest
from asyncmy.errors import OperationalError

from doorbuster.infra.mysql.bounded_connection import open_connection
from doorbuster.infra.mysql.sql_errors import CANNOT_CONNECT
from doorbuster.settings import MySqlSettings


@pytest.mark.parametrize(
    "greeting",
    [b"\x05\x00\x00\x00abcde", b"\x10\x00\x00\x00\x0a9.7.4\x00abcdefghi", b"\x4f\x00\x00\x00\x0axyz\x00" + b"a" * 75],
    ids=["no greeting", "half a greeting", "no version"],
)
async def test_a_server_that_speaks_no_mysql_cannot_be_connected_to(greeting: bytes) -> None:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        port: int = server.sockets[0].getsockname()[1]
        with pytest.raises(OperationalError) as raised:
            await open_connection("127.0.0.1", MySqlSettings(port=port), session="SELECT 1")

    assert raised.value.args[0] == CANNOT_CONNECT


async def test_a_cancellation_that_comes_with_the_connection_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    left = asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        left.set()

    loop = asyncio.get_running_loop()
    connect = loop.create_connection

    async def connect_and_cancel(*args: Any, **options: Any) -> Any:
        made = await connect(*args, **options)
        loop.call_soon(opening.cancel)
        return made

    monkeypatch.setattr(loop, "create_connection", connect_and_cancel)
    async with await asyncio.start_server(say_nothing, "127.0.0.1", 0) as server:
        port: int = server.sockets[0].getsockname()[1]
        settings = MySqlSettings(port=port, connect_seconds=5)
        opening = asyncio.create_task(open_connection("127.0.0.1", settings, session="SELECT 1"))
        with pytest.raises(asyncio.CancelledError):
            await opening
        await left.wait()
