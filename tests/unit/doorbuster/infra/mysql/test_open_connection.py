"""A connection that doesn't come about fails in one way, whoever answers (R7, R18)."""

import asyncio

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
