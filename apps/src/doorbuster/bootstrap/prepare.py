"""Puts the preparation together: wait for the servers, topics, tables, seed (P6)."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

import structlog

from doorbuster.carts.seed import CartSeed
from doorbuster.coupons.seed import CouponSeed
from doorbuster.infra.kafka.clients import admin_client
from doorbuster.infra.kafka.groups import ConsumerGroups
from doorbuster.infra.kafka.topics_admin import make_topics, partition_counts, plans
from doorbuster.infra.mysql import migrations
from doorbuster.infra.mysql.database import Database
from doorbuster.infra.mysql.seeding import SeedPart, seed
from doorbuster.infra.outbox.topics_growth import refuse_growth_while_anything_waits
from doorbuster.kernel.errors import NotAccepted
from doorbuster.points.seed import UserSeed
from doorbuster.products.seed import CatalogueSeed
from doorbuster.settings import Settings

# Only preparation itself writes; the API's pool would be idle connections.
CONNECTIONS = 1
SECONDS_BETWEEN_QUESTIONS = 1.0
# Kafka's word for its own default: 1 or 3, as the size of the data plane wants it (P13).
CLUSTERS_OWN = -1

log = structlog.get_logger()


class SeedProfile(StrEnum):
    """What data is loaded."""

    LOCAL = "local"
    """5,000 products with 100,000 units each, 10,000 users with 1,000,000 points each, three coupons."""
    TEST = "test"
    """20 products with 1,000 units each, 20 users with 1,000,000 points each, three coupons."""
    LOAD = "load"
    """1,000,000 products with 100,000 units each, 1,000,000 users with 1,000,000 points each, 200,000 carts."""
    PROD = "prod"
    """Nothing."""


LOAD_ITEMS = 1_000_000
SEEDS: Mapping[SeedProfile, tuple[SeedPart, ...]] = MappingProxyType(
    {
        SeedProfile.LOCAL: (
            CatalogueSeed(count=5_000, units=100_000),
            UserSeed(count=10_000, points=1_000_000),
            CouponSeed(),
        ),
        SeedProfile.TEST: (
            CatalogueSeed(count=20, units=1_000),
            UserSeed(count=20, points=1_000_000),
            CouponSeed(),
        ),
        SeedProfile.LOAD: (
            CatalogueSeed(count=LOAD_ITEMS, units=100_000),
            UserSeed(count=LOAD_ITEMS, points=1_000_000),
            CartSeed(count=200_000, products=LOAD_ITEMS),
        ),
        SeedProfile.PROD: (),
    }
)
# Those that fit into the time of a release's preparation; the other one has a job of its own.
PREPARED = (SeedProfile.LOCAL, SeedProfile.TEST, SeedProfile.PROD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """What is to be prepared.

    Attributes:
        partitions: of each topic without a number of its own; fixed when it is made (P12).
        replication_factor: of each topic; -1 is the cluster's own default.
        allow_grow: whether topics may get more partitions than they have.
        patience_seconds: so long the servers are waited for, each.
    """

    profile: SeedProfile
    partitions: int
    replication_factor: int = CLUSTERS_OWN
    allow_grow: bool = False
    patience_seconds: float = 120.0


async def prepare(settings: Settings, plan: Preparation) -> None:
    """Bring topics, tables and data to what is wanted; may be repeated at any time.

    Raises:
        NotAccepted: a server didn't answer in time; the message says which.
        TopicsDiffer: topics have another number of partitions, and may not be changed.
        TopicNotMade: Kafka refused to make a topic.
    """
    await _tables(settings, plan)
    await _topics(settings, plan)
    await _data(settings, plan)
    log.info("prepared", profile=plan.profile)


async def _tables(settings: Settings, plan: Preparation) -> None:
    async def primary() -> str:
        return await asyncio.to_thread(migrations.primary_host, settings.mysql)

    await until_answered("the MySQL primary", primary, patience_seconds=plan.patience_seconds)
    await asyncio.to_thread(migrations.migrate, settings.mysql)
    log.info("tables_ready")


async def _topics(settings: Settings, plan: Preparation) -> None:
    admin = admin_client(settings.kafka)
    await until_answered("Kafka", lambda: partition_counts(admin), patience_seconds=plan.patience_seconds)
    wanted = plans(partitions=plan.partitions, replication_factor=plan.replication_factor)
    if plan.allow_grow:
        database = Database(settings.mysql.model_copy(update={"pool_size": CONNECTIONS}))
        groups = ConsumerGroups(settings.kafka)
        try:
            await refuse_growth_while_anything_waits(database, admin, groups, wanted)
        finally:
            await groups.close()
            await database.close()
    await make_topics(admin, wanted, allow_grow=plan.allow_grow)


async def _data(settings: Settings, plan: Preparation) -> None:
    database = Database(settings.mysql.model_copy(update={"pool_size": CONNECTIONS}))
    try:
        for part in SEEDS[plan.profile]:
            new = await seed(database, part)
            log.info("seeded", what=part.name, new=new, of=part.count)
    finally:
        await database.close()


async def until_answered(what: str, ask: Callable[[], Awaitable[object]], *, patience_seconds: float) -> None:
    """Ask again and again until there is an answer.

    Raises:
        NotAccepted: the patience is over; the message names the server, and the cause is its last refusal.
    """
    deadline = time.monotonic() + patience_seconds
    while True:
        try:
            await ask()
        except NotAccepted as exc:
            if time.monotonic() >= deadline:
                raise NotAccepted(f"waited {patience_seconds:g} s for {what}: {exc}") from exc
            log.info("waiting", what=what, answer=str(exc))
        else:
            return
        await asyncio.sleep(SECONDS_BETWEEN_QUESTIONS)
