"""Puts the jobs together: relay, watch, auditor, lag exporter."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial

import structlog
from prometheus_client import REGISTRY

from doorbuster.bootstrap.audit import Auditor, audit_database
from doorbuster.bootstrap.coupon_gates import GateWatch
from doorbuster.bootstrap.ids import id_factory
from doorbuster.bootstrap.process_faults import fault_notices
from doorbuster.bootstrap.ranking_watch import RankingWatch
from doorbuster.bootstrap.saga_watch import SagaWatch
from doorbuster.bootstrap.shop_watch import ShopWatch
from doorbuster.coupons.gate_upkeep import GateUpkeep
from doorbuster.coupons.issue_repository import MySqlCoupons
from doorbuster.coupons.redis_gate import RedisGate
from doorbuster.infra import redis
from doorbuster.infra.kafka.clients import admin_client
from doorbuster.infra.kafka.groups import ConsumerGroups
from doorbuster.infra.kafka.lag_collector import KafkaCollector, keep_reading
from doorbuster.infra.kafka.producer import Producer
from doorbuster.infra.logging import configure
from doorbuster.infra.mysql.database import Database
from doorbuster.infra.mysql.database_lock import DatabaseLock, HeldLock
from doorbuster.infra.outbox.outbox_backlog import show_backlog, watch_backlog
from doorbuster.infra.outbox.relay import Relay
from doorbuster.infra.outbox.upkeep import keep_purging
from doorbuster.infra.process.admin import AdminServer
from doorbuster.infra.process.background import in_background
from doorbuster.infra.process.signals import stop_event
from doorbuster.orders.watch_repository import MySqlWatchSource
from doorbuster.orders.watch_service import WatchService
from doorbuster.products.redis_ranking import RedisRanking
from doorbuster.products.repository import MySqlBestSellers
from doorbuster.settings import Settings

RELAY_LOCK = "relay"
# The lock's own connection, the next batch, and the measurement; writing: the notes and the purge.
RELAY_READERS = 3
RELAY_WRITERS = 2
WATCH_LOCK = "watch"
# The lock's own connection, the look's reads, the measurement of the shop, the gates of coupons, and the ranking where
# no secondary is fit; writing: what is driven on, and a gate's new epoch.
WATCH_READERS = 5
WATCH_WRITERS = 1

Job = Callable[[Settings, asyncio.Event], Awaitable[None]]

log = structlog.get_logger()


def run_process(job: Job) -> None:
    """Run a job as this process: settings from the environment, logs, probes and metrics, until SIGTERM."""
    settings = Settings()
    configure(settings.log_level)
    asyncio.run(_serve(settings, job))


async def _serve(settings: Settings, job: Job) -> None:
    admin = AdminServer()
    with stop_event() as stop:
        # Ready depends on no server (R17): a job without them tries again by itself.
        await admin.start(settings.admin_port, ready=lambda: not stop.is_set())
        try:
            log.info("job_started")
            await job(settings, stop)
        finally:
            await admin.stop()
            log.info("job_ended")


async def relay(settings: Settings, stop: asyncio.Event) -> None:
    """Publish the outbox while this process holds the relay's lock; measure it always (R9)."""
    database = _database(settings, writers=RELAY_WRITERS, readers=RELAY_READERS)
    producer = Producer.connect(settings.kafka)
    client = redis.connect(settings.redis)
    lock = DatabaseLock(database, RELAY_LOCK)
    publisher = Relay(database, producer)
    try:
        async with in_background(
            watch_backlog(database, show_backlog),
            redis.listen_for_wakeups(client, publisher.wake),
            keep_purging(database, lock),
            *(tell(stop) for tell in fault_notices("relay", settings.faults, client)),
        ):
            await lock.run(partial(publisher.run, stop=stop), stop=stop)
    finally:
        await producer.close()
        await client.aclose()
        await database.close()


async def watch(settings: Settings, stop: asyncio.Event) -> None:
    """Look after the open sagas while this process holds the watch's lock (R15).

    Beside it, measure the shop, look after the gates of coupons (R16), and bring the ranking to Redis (R11).
    """
    database = _database(settings, writers=WATCH_WRITERS, readers=WATCH_READERS)
    groups = ConsumerGroups(settings.kafka)
    service = WatchService(MySqlWatchSource(database, id_factory()), groups)
    sagas = SagaWatch(service)
    client = redis.connect(settings.redis)
    gates = GateWatch(GateUpkeep(RedisGate(client), MySqlCoupons(database)))
    ranking = RankingWatch(MySqlBestSellers(database).best, RedisRanking(client))

    async def work(lock: HeldLock) -> None:
        shop = ShopWatch(database, minimum_products=settings.catalogue.minimum_products)
        await _beside(ranking.run(), _beside(gates.run(), _beside(shop.run(), sagas.run(lock, stop=stop))))

    try:
        await DatabaseLock(database, WATCH_LOCK).run(work, stop=stop)
    finally:
        await groups.close()
        await client.aclose()
        await database.close()


async def audit(settings: Settings, stop: asyncio.Event) -> None:
    """Look for what breaks an invariant, and export it (R21)."""
    database = audit_database(settings)
    try:
        await Auditor(database, settings.audit).run(stop)
    finally:
        await database.close()


async def _beside(endless: Coroutine[None, None, None], work: Coroutine[None, None, None]) -> None:
    """Run both until one ends, which ends the other; raises that one's error as it is."""
    tasks = [asyncio.create_task(endless), asyncio.create_task(work)]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


async def lag_exporter(settings: Settings, stop: asyncio.Event) -> None:
    """Read from Kafka how far everything is, and serve it as kafka_exporter does (P14)."""
    collector = KafkaCollector()
    groups = ConsumerGroups(settings.kafka)
    REGISTRY.register(collector)
    try:
        await keep_reading(admin_client(settings.kafka), groups, collector, stop=stop)
    finally:
        REGISTRY.unregister(collector)
        await groups.close()


def _database(settings: Settings, *, writers: int, readers: int) -> Database:
    return Database(settings.mysql.model_copy(update={"pool_size": writers}), reader_pool_size=readers)
