"""Transactions that ask the server how many statements each of them was."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.infra.mysql.transactions import Transactions


class CountedStatements:
    """A database whose transactions are counted in statements, as the server sees them."""

    def __init__(self, database: Transactions) -> None:
        self._database = database
        self.statements: list[int] = []

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        async with self._database.transaction() as connection:
            before = await _questions(connection)
            yield connection
            # Less the second question itself.
            self.statements.append(await _questions(connection) - before - 1)


async def _questions(connection: AsyncConnection) -> int:
    row = (await connection.execute(text("SHOW SESSION STATUS LIKE 'Questions'"))).one()
    return int(row[1])
