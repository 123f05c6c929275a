"""Clients that write as rule R2 has clients behave: the same ids until an answer comes."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text

from doorbuster.infra.mysql.database import Database
from doorbuster.kernel.errors import NotAccepted, OutcomeUnknown


@dataclass(slots=True, kw_only=True)
class Writer:
    """Writes one number after the other, each until it is acknowledged; counts effects in a row of its own."""

    database: Database
    id: int
    acknowledged: int = 0
    unknown: int = 0
    refused: int = 0

    async def write(self) -> None:
        while True:
            await self._until_acknowledged(self.acknowledged + 1)
            self.acknowledged += 1

    async def _until_acknowledged(self, number: int) -> None:
        while True:
            try:
                return await self._once(number)
            except OutcomeUnknown:
                self.unknown += 1
            except NotAccepted:
                self.refused += 1
            await asyncio.sleep(random.uniform(0.05, 0.2))

    async def _once(self, number: int) -> None:
        key = {"writer": self.id, "number": number}
        async with self.database.transaction() as connection:
            written = text("SELECT 1 FROM written WHERE writer = :writer AND number = :number FOR UPDATE")
            if (await connection.execute(written, key)).first() is None:
                await connection.execute(text("INSERT INTO written VALUES (:writer, :number)"), key)
                await connection.execute(text("UPDATE effects SET times = times + 1 WHERE writer = :writer"), key)


def new_writers(database: Database, count: int) -> list[Writer]:
    """Writers that haven't begun."""
    return [Writer(database=database, id=number) for number in range(count)]


async def create_tables(database: Database, *, writers: int) -> None:
    """Make what the writers write into, empty."""
    async with database.transaction() as connection:
        await connection.execute(text("CREATE TABLE written (writer INT, number INT, PRIMARY KEY (writer, number))"))
        await connection.execute(text("CREATE TABLE effects (writer INT PRIMARY KEY, times INT NOT NULL)"))
        for number in range(writers):
            await connection.execute(text("INSERT INTO effects VALUES (:writer, 0)"), {"writer": number})


async def drop_tables(database: Database) -> None:
    """Remove the tables again."""
    async with database.transaction() as connection:
        await connection.execute(text("DROP TABLE IF EXISTS written, effects"))


async def assert_exactly_once(database: Database, writers: Sequence[Writer]) -> None:
    """All that was acknowledged is there, with one effect each, and at most the one that was under way besides."""
    # One statement, one moment: a COMMIT that nobody waits for any more may still be on its way.
    statement = text(
        "SELECT writer, times, (SELECT COUNT(*) FROM written WHERE written.writer = effects.writer),"
        " (SELECT COALESCE(MAX(number), 0) FROM written WHERE written.writer = effects.writer) FROM effects"
    )
    async with database.reading() as connection:
        rows = (await connection.execute(statement)).all()
    times = {writer: effects for writer, effects, _, _ in rows}
    assert [row for row in rows if not row[1] == row[2] == row[3]] == []
    assert {times[writer.id] - writer.acknowledged for writer in writers} <= {0, 1}
