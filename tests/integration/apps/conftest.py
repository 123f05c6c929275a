"""Fixtures of the applications' tests: real servers for a session, empty tables and topics for a test."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from doorbuster.bootstrap.prepare import Preparation, SeedProfile, prepare
from doorbuster.infra.kafka.topics_admin import plans
from doorbuster.infra.mysql.database import Database
from doorbuster.infra.mysql.migrations import connected, migrate
from doorbuster.infra.mysql.schema import METADATA
from doorbuster.settings import Settings
from tests.integration.apps import servers as own_servers
from tests.integration.apps.books import Books
from tests.integration.apps.copies import forget_copies
from tests.integration.apps.platform import Platform, running_platform
from tests.integration.apps.servers import Servers
from tests.integration.polling import seconds_until

PARTITIONS = 3
PLANS = {plan.name: plan for plan in plans(partitions=PARTITIONS, replication_factor=1)}


@pytest.fixture(scope="session")
def servers(images: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """MySQL, Kafka and Redis, one pod each."""
    with own_servers.running_servers(images, tmp_path_factory.mktemp("apps")) as running:
        yield running


@pytest.fixture(scope="session")
def settings(servers: Servers) -> Settings:
    """What a process must be told to reach the servers."""
    return servers.settings


@pytest.fixture(scope="session")
def migrated(settings: Settings) -> Settings:
    """The settings of a database that has all tables."""
    migrate(settings.mysql)
    return settings


@pytest.fixture
def empty_tables(migrated: Settings) -> Settings:
    """The settings of a database whose tables are all there and empty, and of a Redis that remembers no products.

    DELETE rather than TRUNCATE: it is ten times as fast on tables that are nearly empty, and waits for no metadata
    lock of a connection that an earlier test left in a pool.
    """
    with connected(migrated.mysql) as connection:
        for table in METADATA.tables.values():
            connection.execute(table.delete())
    forget_copies(migrated.redis)
    return migrated


@pytest.fixture
async def database(empty_tables: Settings) -> AsyncIterator[Database]:
    """The applications' database with empty tables, for this test's event loop.

    It has more connections than a process would: transactions that a test starts at once are to meet in MySQL.
    """
    database = Database(empty_tables.mysql.model_copy(update={"pool_size": 16}))
    yield database
    await database.close()


@pytest.fixture
def topics(settings: Settings) -> Iterator[frozenset[str]]:
    """All topics of the saga with three partitions each, and their dead-letter topics with one, new and empty."""
    admin = AdminClient({"bootstrap.servers": settings.kafka.servers, "log_level": 0})
    _remove_topics(admin)
    wanted = [NewTopic(plan.name, plan.partitions) for plan in PLANS.values()]
    for future in admin.create_topics(wanted, request_timeout=20).values():
        future.result(timeout=40)
    seconds_until(lambda: _have_leaders(admin), within_seconds=30, what="a leader of each partition")
    yield frozenset(PLANS)
    _remove_topics(admin)


@pytest.fixture
def platform(empty_tables: Settings, topics: frozenset[str], tmp_path: Path) -> Iterator[Platform]:
    """Every process of the applications, on seeded tables and new topics."""
    plan = Preparation(profile=SeedProfile.TEST, partitions=PARTITIONS, replication_factor=1)
    asyncio.run(prepare(empty_tables, plan))
    with running_platform(empty_tables, tmp_path) as platform:
        yield platform


@pytest.fixture
def books(empty_tables: Settings) -> Books:
    """The database for an auditor."""
    return Books(mysql=empty_tables.mysql)


def _remove_topics(admin: AdminClient) -> None:
    there = PLANS.keys() & admin.list_topics(timeout=10).topics.keys()
    if not there:
        return
    for future in admin.delete_topics(sorted(there), request_timeout=20).values():
        try:
            future.result(timeout=40)
        except KafkaException:
            continue  # the wait below decides
    seconds_until(
        lambda: not PLANS.keys() & admin.list_topics(timeout=10).topics.keys(), within_seconds=30, what="no topics"
    )


def _have_leaders(admin: AdminClient) -> bool:
    described = admin.list_topics(timeout=10).topics
    return all(
        len(described[plan.name].partitions) == plan.partitions
        and all(partition.leader >= 0 for partition in described[plan.name].partitions.values())
        for plan in PLANS.values()
    )
