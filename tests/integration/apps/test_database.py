import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import text
from sqlalchemy.exc import DataError
from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.infra.mysql.database import Database
from doorbuster.kernel.errors import DataRefused, NotAccepted, Overloaded, PrimaryUnavailable
from doorbuster.settings import Settings
from tests.integration.apps.proxied_database import TABLE, Place, insert, proxied, through

pytestmark = pytest.mark.integration


class Interrupted(Exception):
    pass


@pytest.fixture
async def place(settings: Settings) -> AsyncIterator[Place]:
    async with proxied(settings) as place:
        yield place


def conflicts(number: int) -> float:
    return REGISTRY.get_sample_value("database_conflicts_total", {"error": str(number)}) or 0.0


async def test_a_transaction_costs_its_statements_and_a_commit_and_nothing_else(place: Place) -> None:
    await place.insert(1)
    place.proxy.commands.clear()

    await place.insert(2)

    assert [command.split()[0] for command in place.proxy.commands] == [b"INSERT", b"COMMIT"]


async def test_a_read_costs_one_round_trip(place: Place) -> None:
    await place.numbers()
    place.proxy.commands.clear()

    await place.numbers()

    assert [command.split()[0] for command in place.proxy.commands] == [b"SELECT"]


async def test_sessions_are_strict_read_committed_in_utc_and_wait_one_second_for_locks(place: Place) -> None:
    variables = "@@time_zone, @@transaction_isolation, @@innodb_lock_wait_timeout, @@max_execution_time"
    async with place.database.transaction() as connection:
        row = (await connection.execute(text(f"SELECT {variables}, @@sql_mode"))).one()

    assert tuple(row[:4]) == ("+00:00", "READ-COMMITTED", 1, 450)
    assert "STRICT_TRANS_TABLES" in row[4]


async def test_the_callers_exception_rolls_back_and_passes_through(place: Place) -> None:
    error = Interrupted()

    async def fail(_connection: AsyncConnection) -> None:
        raise error

    with pytest.raises(Interrupted) as caught:
        await place.insert_then(fail)

    assert caught.value is error
    assert await place.numbers() == []
    assert place.database.state().checked_out == 0


async def test_a_failed_statement_that_was_passed_over_is_not_committed_around(place: Place) -> None:
    async def fail_and_go_on(connection: AsyncConnection) -> None:
        with suppress(DataError):
            await connection.execute(text(f"INSERT INTO {TABLE} VALUES (2, 1000)"))
        await insert(connection, 3)

    with pytest.raises(DataRefused):
        await place.insert_then(fail_and_go_on)

    assert await place.numbers() == []


@pytest.mark.parametrize("row", ["(1, 1000)", "(1, NULL)", "(1, 1), (1, 2)"])
async def test_values_that_cannot_be_stored_are_refused(place: Place, row: str) -> None:
    with pytest.raises(DataRefused):
        async with place.database.transaction() as connection:
            await connection.execute(text(f"INSERT INTO {TABLE} VALUES {row}"))

    assert place.database.state().checked_out == 0


async def test_an_error_that_nobody_knows_is_transient(place: Place) -> None:
    with pytest.raises(PrimaryUnavailable):
        async with place.database.transaction() as connection:
            await connection.execute(text("SELECT * FROM missing"))

    # The server is well; nobody has to look for it.
    assert place.database.state().primary == "127.0.0.1"


async def test_a_lock_that_does_not_come_is_transient_and_counted(place: Place, settings: Settings) -> None:
    await place.insert(1)
    patient = Database(through(place.proxy, settings, transaction_seconds=5.0))
    before = conflicts(1205)
    async with place.database.transaction() as holder:
        await holder.execute(text(f"SELECT * FROM {TABLE} WHERE id = 1 FOR UPDATE"))
        with pytest.raises(NotAccepted, match="1205"):
            async with patient.transaction() as connection:
                await connection.execute(text(f"SELECT * FROM {TABLE} WHERE id = 1 FOR UPDATE"))
    await patient.close()

    assert conflicts(1205) == before + 1


async def test_a_deadlock_is_transient_and_counted(place: Place) -> None:
    await place.insert(1)
    await place.insert(2)
    before = conflicts(1213)
    both_locked = asyncio.Barrier(2)

    async def lock(first: int, then: int) -> None:
        async with place.database.transaction() as connection:
            await connection.execute(text(f"UPDATE {TABLE} SET times = times + 1 WHERE id = {first}"))
            await both_locked.wait()
            await connection.execute(text(f"UPDATE {TABLE} SET times = times + 1 WHERE id = {then}"))

    ends = await asyncio.gather(lock(1, 2), lock(2, 1), return_exceptions=True)

    assert [type(end) for end in ends if end is not None] == [NotAccepted]
    assert conflicts(1213) == before + 1


async def test_a_pool_in_use_turns_away_after_a_second(place: Place, settings: Settings) -> None:
    small = Database(through(place.proxy, settings, pool_size=1))
    async with small.transaction() as holder:
        await holder.execute(text("SELECT 1"))
        assert (small.state().checked_out, small.state().size) == (1, 1)
        with pytest.raises(Overloaded):
            async with small.transaction():
                pass
    await small.close()
