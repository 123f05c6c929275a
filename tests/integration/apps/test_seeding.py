"""Millions of rows, on a small scale: a checkpoint, an interrupt, a second run beside it (R13)."""

import asyncio
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field, replace

import msgspec
import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.bootstrap.prepare import SeedProfile
from doorbuster.infra.mysql.checkpointed_seeding import forget_checkpoint, seed_on
from doorbuster.infra.mysql.database import Database
from doorbuster.infra.mysql.tables import seed_checkpoints
from doorbuster.kernel.errors import PrimaryUnavailable
from doorbuster.points.seed import UserSeed
from doorbuster.products.seed import CatalogueSeed
from doorbuster.settings import Settings
from tests.integration.apps.processes import SOURCES, environment_of

pytestmark = pytest.mark.integration

USERS = UserSeed(count=5_000, points=7)
NAME = "test/users"
COUNTS = text(
    "SELECT (SELECT COUNT(*) FROM point_balances), (SELECT COUNT(*) FROM point_entries),"
    " (SELECT COALESCE(SUM(amount), 0) FROM point_entries)"
)
ISSUERS = '[{"issuer": "doorbuster-development", "jwks_url": "http://127.0.0.1/keys"}]'
BEGUN_SECONDS = 60
END_SECONDS = 30


@dataclass
class Watched:
    """A part that remembers which items it was asked for, and runs something behind each transaction's rows."""

    seed: UserSeed = USERS
    name: str = "users"
    rows_per_item: int = 3
    asked: list[range] = field(default_factory=list)
    stop_after: int | None = None
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    fails: list[Exception] = field(default_factory=list)

    @property
    def count(self) -> int:
        return self.seed.count

    async def write(self, connection: AsyncConnection, numbers: range) -> int:
        self.asked.append(numbers)
        written = await self.seed.write(connection, numbers)
        if self.fails:
            raise self.fails.pop()
        if len(self.asked) == self.stop_after:
            self.stop.set()
        return written


async def counts(database: Database) -> tuple[int, int, int]:
    async with database.transaction() as connection:
        users, entries, total = (await connection.execute(COUNTS)).one()
    return users, entries, int(total)


async def checkpoint(database: Database) -> int | None:
    async with database.transaction() as connection:
        found = select(seed_checkpoints.c.done).where(seed_checkpoints.c.part == NAME)
        done: int | None = (await connection.execute(found)).scalar_one_or_none()
        return done


async def test_all_items_are_written_in_double_entry_and_again_nothing_is(database: Database) -> None:
    first = await seed_on(database, USERS, checkpoint=NAME, stop=asyncio.Event())
    again = Watched()
    second = await seed_on(database, again, checkpoint=NAME, stop=asyncio.Event())

    assert (first.new, first.done, second.new, second.done) == (5_000, 5_000, 0, 5_000)
    assert await counts(database) == (5_000, 10_000, 0)
    # Only the last one is looked for, as the checkpoint's proof.
    assert again.asked == [range(5_000, 5_001)]


async def test_a_transaction_has_at_most_2000_rows_and_its_checkpoint(database: Database) -> None:
    part = Watched()

    await seed_on(database, part, checkpoint=NAME, stop=asyncio.Event())

    assert {len(numbers) for numbers in part.asked[:-1]} == {1_999 // 3}
    assert await checkpoint(database) == 5_000


async def test_what_is_ended_early_goes_on_behind_the_last_transaction(database: Database) -> None:
    part = Watched(stop_after=2)
    ended = await seed_on(database, part, checkpoint=NAME, stop=part.stop)
    rest = Watched()

    finished = await seed_on(database, rest, checkpoint=NAME, stop=asyncio.Event())

    assert (ended.new, ended.done) == (1_332, 1_332)
    assert (finished.new, finished.done) == (3_668, 5_000)
    assert [numbers.start for numbers in rest.asked[:2]] == [1_332, 1_333]
    assert await counts(database) == (5_000, 10_000, 0)


async def test_a_transaction_that_fails_is_tried_again_as_a_whole(database: Database) -> None:
    part = Watched(fails=[PrimaryUnavailable("failover")])

    seeded = await seed_on(database, part, checkpoint=NAME, stop=asyncio.Event())

    assert part.asked[0] == part.asked[1]
    assert seeded.new == 5_000
    assert await counts(database) == (5_000, 10_000, 0)


async def test_two_at_once_take_turns(database: Database) -> None:
    both = await asyncio.gather(*(seed_on(database, USERS, checkpoint=NAME, stop=asyncio.Event()) for _ in range(2)))

    assert sum(each.new for each in both) == 5_000
    assert await counts(database) == (5_000, 10_000, 0)


async def test_rows_that_went_without_their_checkpoint_are_written_again(database: Database) -> None:
    await seed_on(database, USERS, checkpoint=NAME, stop=asyncio.Event())
    async with database.transaction() as connection:
        for table in ("point_entries", "point_balances"):
            await connection.execute(text(f"DELETE FROM {table}"))  # a constant

    seeded = await seed_on(database, USERS, checkpoint=NAME, stop=asyncio.Event())

    assert seeded.done == 5_000
    assert await counts(database) == (5_000, 10_000, 0)


async def test_without_its_checkpoint_every_item_is_looked_at_and_those_that_are_there_stay(
    database: Database,
) -> None:
    await seed_on(database, replace(USERS, count=700), checkpoint=NAME, stop=asyncio.Event())
    await forget_checkpoint(database, NAME)

    seeded = await seed_on(database, USERS, checkpoint=NAME, stop=asyncio.Event())

    assert seeded.new == 4_300
    assert await counts(database) == (5_000, 10_000, 0)


async def test_products_come_with_their_stock(database: Database) -> None:
    seeded = await seed_on(
        database, CatalogueSeed(count=2_500, units=10), checkpoint="test/products", stop=asyncio.Event()
    )

    assert seeded.new == 2_500
    async with database.transaction() as connection:
        stock = (await connection.execute(text("SELECT COUNT(*) FROM stock JOIN products ON id = product_id"))).scalar()
    assert stock == 2_500


async def test_the_process_ends_behind_its_transaction_when_it_is_told_to_and_can_go_on(
    empty_tables: Settings, database: Database
) -> None:
    process = started(empty_tables, SeedProfile.LOAD)
    async with asyncio.timeout(BEGUN_SECONDS):
        while True:
            if await products(database) >= 3_000:
                break
            await asyncio.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    output, _ = await asyncio.to_thread(process.communicate, timeout=END_SECONDS)

    answer = msgspec.json.decode(output)
    done = answer["parts"][0]["done"]
    assert process.returncode == 130
    assert answer["complete"] is False
    assert done == await products(database) >= 3_000


def started(settings: Settings, profile: SeedProfile) -> "subprocess.Popen[bytes]":
    environment = {**os.environ, **environment_of(settings), "PYTHONPATH": str(SOURCES)}
    environment["DOORBUSTER_AUTH__ISSUERS"] = ISSUERS
    return subprocess.Popen(
        [sys.executable, "-m", "doorbuster.jobs.seed", "--profile", profile.value],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


async def products(database: Database) -> int:
    async with database.transaction() as connection:
        return int((await connection.execute(text("SELECT COUNT(*) FROM products"))).scalar_one())
