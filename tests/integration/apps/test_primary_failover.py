import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest
from sqlalchemy import text

from doorbuster.infra.mysql.database import Database
from doorbuster.settings import MySqlSettings
from tests.integration.apps.writers import assert_exactly_once, create_tables, new_writers
from tests.integration.mysql.conftest import deployed
from tests.integration.mysql.deployment import PASSWORDS, MySqlDeployment
from tests.integration.pods import free_network

pytestmark = pytest.mark.integration

log = logging.getLogger(__name__)

START_SECONDS = 180
# As in tests/integration/mysql/test_outages.py, and what the first attempts at the new primary wait.
FAILOVER_SECONDS = 80
LOOK_SECONDS = 15
WRITERS = 8
WRITES = 50


@pytest.fixture(scope="module")
def group(images: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[MySqlDeployment]:
    secrets = tmp_path_factory.mktemp("failover")
    for account, password in PASSWORDS.items():
        (secrets / f"{account}-password").write_text(password)
        (secrets / f"{account}-password").chmod(0o644)
    secrets.chmod(0o755)
    with free_network() as network:
        yield from deployed(network, images["mysql"], secrets, count=3)


@pytest.fixture
async def database(group: MySqlDeployment, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Database]:
    await asyncio.to_thread(group.until_healthy, START_SECONDS)
    password = tmp_path_factory.mktemp("app") / "password"
    password.write_text(PASSWORDS["app"])
    database = Database(
        MySqlSettings(hosts=tuple(pod.address for pod in group.pods), password_file=password, pool_size=WRITERS)
    )
    yield database
    await database.close()


async def host_of_catalogue(database: Database) -> str:
    async with database.catalogue() as connection:
        return str((await connection.execute(text("SELECT @@report_host"))).scalar_one())


async def until(reached: Callable[[], Awaitable[bool]], *, within_seconds: float) -> None:
    async with asyncio.timeout(within_seconds):
        while not await reached():  # noqa: ASYNC110  # asks servers
            await asyncio.sleep(0.1)


async def test_the_catalogue_is_read_from_a_current_secondary_and_else_from_the_primary(
    group: MySqlDeployment, database: Database
) -> None:
    primary = group.primary_ordinal()
    secondaries = [ordinal for ordinal in range(3) if ordinal != primary]
    primary_host = group.administer(primary, "SELECT @@report_host")

    async def read_from_primary() -> bool:
        await beat()
        return await host_of_catalogue(database) == primary_host

    async def read_from_secondary() -> bool:
        await beat()
        return await host_of_catalogue(database) != primary_host

    async def beat() -> None:
        async with database.transaction() as connection:
            await connection.execute(text("UPDATE heartbeat SET beats = beats + 1"))

    await until(read_from_secondary, within_seconds=LOOK_SECONDS)
    for ordinal in secondaries:
        # Both go on receiving and can't apply.
        group.administer_in_background(ordinal, "FLUSH TABLES WITH READ LOCK; DO SLEEP(15)")
    await until(read_from_primary, within_seconds=LOOK_SECONDS)
    await until(read_from_secondary, within_seconds=15 + LOOK_SECONDS)


async def test_a_writer_goes_on_with_the_new_primary_and_loses_and_repeats_nothing(
    group: MySqlDeployment, database: Database
) -> None:
    former = group.primary_ordinal()
    await create_tables(database, writers=WRITERS)
    writers = new_writers(database, WRITERS)
    tasks = [asyncio.create_task(writer.write()) for writer in writers]

    async def written(number: int) -> bool:
        assert not any(task.done() for task in tasks)
        return all(writer.acknowledged >= number for writer in writers)

    await until(lambda: written(WRITES), within_seconds=FAILOVER_SECONDS)
    await asyncio.to_thread(group.pods[former].kill)
    killed_at = max(writer.acknowledged for writer in writers)
    await until(lambda: written(killed_at + WRITES), within_seconds=FAILOVER_SECONDS)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    log.info("%s", [(writer.acknowledged, writer.unknown, writer.refused) for writer in writers])

    primary = group.primary_ordinal()
    assert primary != former
    assert database.state().primary == group.pods[primary].address
    await assert_exactly_once(database, writers)
