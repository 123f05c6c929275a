"""Looks at MySQL, Kafka and Redis for the API's health (R17)."""

import asyncio
from collections.abc import Callable

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import func, select

from doorbuster.infra.health import Health, Pool, State
from doorbuster.infra.mysql.database import Database
from doorbuster.infra.outbox.broker_gate import BrokerGate
from doorbuster.kernel.errors import DoorbusterError
from doorbuster.products.tables import products

# A question that costs three servers something is asked once a second, however many want to know.
FRESH_SECONDS = 1.0
DATABASE_SECONDS = 2.0
REDIS_SECONDS = 1.0

log = structlog.get_logger()


class ApiHealth:
    """What the API leans on, as it was within the last second."""

    def __init__(self, *, database: Database, gate: BrokerGate, redis: Redis, monotonic: Callable[[], float]) -> None:
        """Take what to look at.

        Args:
            database: asked for the number of products, on the primary.
            gate: knows Kafka and the outbox from its own checks.
            redis: pinged.
            monotonic: seconds that only grow.
        """
        self._database = database
        self._gate = gate
        self._redis = redis
        self._monotonic = monotonic
        self._seen: Health | None = None
        self._seen_at = 0.0
        self._lock = asyncio.Lock()

    async def check(self) -> Health:
        """Return what was seen; never raises because something is gone."""
        async with self._lock:
            if self._seen is None or self._monotonic() - self._seen_at > FRESH_SECONDS:
                self._seen = await self._look()
                self._seen_at = self._monotonic()
            return self._seen

    async def _look(self) -> Health:
        products_count, redis = await asyncio.gather(self._count_products(), self._ping_redis())
        reachable, backlog = self._gate.broker_reachable, self._gate.backlog
        database = self._database.state()
        return Health(
            mysql=State.GONE if products_count is None else State.OK,
            kafka=State.UNKNOWN if reachable is None else State.OK if reachable else State.GONE,
            redis=redis,
            products=products_count,
            outbox_rows=None if backlog is None else backlog.rows,
            outbox_oldest_age_seconds=None if backlog is None else backlog.oldest_age_seconds,
            accepts_orders=self._gate.accepts(),
            pool=Pool(size=database.size, in_use=database.checked_out),
        )

    async def _count_products(self) -> int | None:
        try:
            async with asyncio.timeout(DATABASE_SECONDS), self._database.reading() as connection:
                count: int = (await connection.execute(select(func.count()).select_from(products))).scalar_one()
        except (DoorbusterError, TimeoutError) as exc:
            log.info("mysql_not_seen", cause=type(exc).__name__)
            return None
        return count

    async def _ping_redis(self) -> State:
        try:
            async with asyncio.timeout(REDIS_SECONDS):
                await self._redis.ping()
        except (RedisError, OSError, TimeoutError) as exc:
            log.info("redis_not_seen", cause=type(exc).__name__)
            return State.GONE
        return State.OK
