"""Looks at MySQL, Kafka and Redis for the API's health (R17), and at what other processes have to say."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import func, select, text

from doorbuster.infra.circuits import Circuits, Dependency, worst
from doorbuster.infra.health import Health, Members, Pool, State
from doorbuster.infra.mysql.database import Database
from doorbuster.infra.mysql.group_views import ONLINE, PRIMARY
from doorbuster.infra.notices import NoticeBoard, read
from doorbuster.infra.outbox.broker_gate import BrokerGate
from doorbuster.kernel.breaker import BreakerState
from doorbuster.kernel.errors import DoorbusterError, Overloaded
from doorbuster.products.tables import products

# A question that costs three servers something is asked once a second, however many want to know.
FRESH_SECONDS = 1.0
DATABASE_SECONDS = 2.0
MEMBERS_SECONDS = 1.0
REDIS_SECONDS = 1.0
# The count stops here, or at the minimum if that is more: of a million products it would cost a tenth of a second.
MOST_PRODUCTS = 1_000

_MEMBERS = text(
    "SELECT MEMBER_HOST AS host, MEMBER_STATE AS state, MEMBER_ROLE AS role"
    " FROM performance_schema.replication_group_members WHERE MEMBER_HOST <> ''"
)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What the API leans on.

    Attributes:
        database: asked for products and members, on the primary.
        gate: knows Kafka and the outbox from its own checks.
        redis: pinged, and asked for notices.
        circuits: the breakers of this process before Redis.
    """

    database: Database
    gate: BrokerGate
    redis: Redis
    circuits: Circuits


class ApiHealth:
    """What the API leans on, as it was within the last second. Each look has an end after three seconds."""

    def __init__(self, watched: Watched, *, minimum_products: int, monotonic: Callable[[], float]) -> None:
        """Take what to look at.

        Args:
            watched: the servers and what stands before them.
            minimum_products: with fewer products the catalogue counts as empty.
            monotonic: seconds that only grow.
        """
        self._watched = watched
        self._minimum_products = minimum_products
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
        (mysql, products_count, members), redis, faults, breakers = await asyncio.gather(
            self._look_at_mysql(),
            self._ping_redis(),
            read(self._watched.redis, NoticeBoard.FAULTS),
            read(self._watched.redis, NoticeBoard.BREAKERS),
        )
        gate = self._watched.gate
        reachable, backlog = gate.broker_reachable, gate.backlog
        database = self._watched.database.state()
        return Health(
            mysql=mysql,
            kafka=State.UNKNOWN if reachable is None else State.OK if reachable else State.GONE,
            redis=redis,
            products=products_count,
            minimum_products=self._minimum_products,
            outbox_rows=None if backlog is None else backlog.rows,
            outbox_oldest_age_seconds=None if backlog is None else backlog.oldest_age_seconds,
            accepts_orders=gate.accepts(),
            pool=Pool(size=database.size, in_use=database.checked_out),
            members=members,
            pools={name: Pool(size=size, in_use=in_use) for name, (in_use, size) in database.pools.items()},
            breakers=self._breakers(breakers),
            faults=faults,
        )

    def _breakers(self, notices: tuple[str, ...] | None) -> Mapping[str, BreakerState | None]:
        told = [state for state in BreakerState if f"{Dependency.PARTNER}={state}" in (notices or ())]
        return {
            Dependency.REDIS.value: self._watched.circuits.state,
            Dependency.KAFKA.value: self._watched.gate.state,
            # Of several processes the worst one counts.
            Dependency.PARTNER.value: worst(told) if told else None,
        }

    async def _look_at_mysql(self) -> tuple[State, int | None, Members | None]:
        state, count = await self._count_products()
        return state, count, await self._members() if state is State.OK else None

    async def _count_products(self) -> tuple[State, int | None]:
        most = max(MOST_PRODUCTS, self._minimum_products)
        counted = select(products.c.id).limit(most).subquery()
        try:
            async with asyncio.timeout(DATABASE_SECONDS), self._watched.database.reading() as connection:
                count: int = (await connection.execute(select(func.count()).select_from(counted))).scalar_one()
        except Overloaded:
            log.info("mysql_not_asked")
            # All connections are in use. With a primary that is known this is an overload, which is no loss; without,
            # they all look for one.
            known = self._watched.database.state().primary
            return (State.GONE if known is None else State.UNKNOWN), None
        except (DoorbusterError, TimeoutError) as exc:
            log.info("mysql_not_seen", cause=type(exc).__name__)
            return State.GONE, None
        return State.OK, count

    async def _members(self) -> Members | None:
        try:
            async with asyncio.timeout(MEMBERS_SECONDS), self._watched.database.reading() as connection:
                rows = (await connection.execute(_MEMBERS)).all()
        except (DoorbusterError, TimeoutError) as exc:
            # A managed server may not tell.
            log.info("members_not_seen", cause=type(exc).__name__)
            return None
        primary = next((row.host for row in rows if row.state == ONLINE and row.role == PRIMARY), None)
        return Members(primary=primary, online=sum(row.state == ONLINE for row in rows), known=len(rows))

    async def _ping_redis(self) -> State:
        try:
            async with asyncio.timeout(REDIS_SECONDS):
                await self._watched.redis.ping()
        except (RedisError, OSError, TimeoutError) as exc:
            log.info("redis_not_seen", cause=type(exc).__name__)
            return State.GONE
        return State.OK
