import asyncio
from collections.abc import AsyncIterator

import pytest

from doorbuster.infra.mysql.database import Database
from doorbuster.infra.mysql.database_lock import DatabaseLock, HeldLock
from doorbuster.kernel.errors import PrimaryUnavailable
from doorbuster.settings import Settings
from tests.integration.apps.relays import LOCK, end_lock_holder, reached, read_only
from tests.integration.apps.servers import Servers

pytestmark = pytest.mark.integration


@pytest.fixture
async def database(migrated: Settings) -> AsyncIterator[Database]:
    database = Database(migrated.mysql, reader_pool_size=2)
    yield database
    await database.close()


@pytest.fixture
def lock(database: Database) -> DatabaseLock:
    return DatabaseLock(database, LOCK, seek_seconds=0.05, check_seconds=0.05)


class Work:
    """Waits until it is told to end; knows how often it began, and how often it was cancelled."""

    def __init__(self) -> None:
        self.begun = 0
        self.cancelled = 0
        self.stop = asyncio.Event()

    async def __call__(self, lock: HeldLock) -> None:
        self.begun += 1
        try:
            await self.stop.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise


async def test_the_work_is_cancelled_when_the_locks_connection_ends(lock: DatabaseLock, migrated: Settings) -> None:
    work = Work()
    running = asyncio.create_task(lock.run(work, stop=work.stop))
    await reached(lambda: work.begun == 1, "the work has begun")
    end_lock_holder(migrated.mysql)
    await reached(lambda: work.begun == 2, "the work has begun again")
    work.stop.set()
    await running

    assert work.cancelled == 1


async def test_the_work_is_cancelled_when_its_server_may_not_write_any_more(
    lock: DatabaseLock, servers: Servers
) -> None:
    work = Work()
    running = asyncio.create_task(lock.run(work, stop=work.stop))
    await reached(lambda: work.begun == 1, "the work has begun")
    with read_only(servers):
        await reached(lambda: work.cancelled == 1, "the work was cancelled")
        assert not lock.held
    await reached(lambda: work.begun == 2, "the work has begun again")
    work.stop.set()
    await running


async def test_work_that_loses_the_database_is_begun_again(lock: DatabaseLock) -> None:
    stop = asyncio.Event()
    begun = 0

    async def work(held: HeldLock) -> None:
        nonlocal begun
        begun += 1
        if begun == 1:
            raise PrimaryUnavailable("gone for a moment")
        stop.set()

    async with asyncio.timeout(30):
        await lock.run(work, stop=stop)

    assert begun == 2


async def test_an_error_in_the_work_is_passed_on_and_frees_the_lock(lock: DatabaseLock, database: Database) -> None:
    async def faulty(held: HeldLock) -> None:
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        await lock.run(faulty, stop=asyncio.Event())

    work = Work()
    running = asyncio.create_task(lock.run(work, stop=work.stop))
    await reached(lambda: work.begun == 1, "the lock was free")
    work.stop.set()
    await running


async def test_only_one_of_two_works(lock: DatabaseLock, database: Database) -> None:
    first, second = Work(), Work()
    other = DatabaseLock(database, LOCK, seek_seconds=0.05, check_seconds=0.05)
    holder = asyncio.create_task(lock.run(first, stop=first.stop))
    await reached(lambda: first.begun == 1, "the first works")
    waiter = asyncio.create_task(other.run(second, stop=second.stop))
    await asyncio.sleep(0.5)  # ten attempts of the second
    assert second.begun == 0

    first.stop.set()
    await holder
    await reached(lambda: second.begun == 1, "the second works")
    second.stop.set()
    await waiter


async def test_a_held_lock_is_confirmed_again_and_again(lock: DatabaseLock) -> None:
    stop = asyncio.Event()

    async def work(held: HeldLock) -> None:
        await asyncio.gather(*(held.confirm() for _ in range(20)))
        stop.set()

    async with asyncio.timeout(30):
        await lock.run(work, stop=stop)
