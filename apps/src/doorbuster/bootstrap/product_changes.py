"""Puts the change of a product together: one transaction, then the version floor that keeps older copies out (R6).

The change is acknowledged when its floor is set. Without Redis the floor is tried again for 31 seconds, and by then
nothing older is left anywhere. A process that is killed between commit and floor has acknowledged nothing, and older
copies end within 31 seconds as well. There is no topic of products, so no event repeats the floor (ADR 0023).
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from doorbuster.bootstrap.catalogue import PRODUCTS
from doorbuster.infra import redis
from doorbuster.infra.cache.bounds import RETRY_SECONDS
from doorbuster.infra.cache.guard import Guard
from doorbuster.infra.cache.redis_cache import RedisCache
from doorbuster.infra.cache.shared_cache import CacheAway, SharedCache
from doorbuster.infra.circuits import Circuits, Dependency
from doorbuster.infra.jitter import pause
from doorbuster.infra.mysql.database import Database
from doorbuster.infra.mysql.transactions import Transactions
from doorbuster.kernel.errors import DoorbusterError, NotAccepted, OutcomeUnknown
from doorbuster.kernel.ids import ProductId
from doorbuster.products.changes import ProductChange, changed
from doorbuster.products.model import Product
from doorbuster.products.repository import MySqlProductChanges
from doorbuster.settings import Settings

CONNECTIONS = 1
ATTEMPTS = 5
LONGEST_PAUSE_SECONDS = 0.5
# A command has time that a reader hasn't.
ANSWER_SECONDS = 1.0

log = structlog.get_logger()


class NoSuchProduct(DoorbusterError):
    """There is no product with this id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedProduct:
    """A product as it is now; the field names are those of the job's answer.

    Attributes:
        floor_set: False where Redis stayed away, and all older copies have ended by themselves meanwhile.
    """

    id: ProductId
    name: str
    price: int
    version: int
    floor_set: bool


async def change_product(settings: Settings, product_id: ProductId, change: ProductChange) -> ChangedProduct:
    """Change a product; harmless to repeat.

    Raises:
        NoSuchProduct: nothing was written.
        ImpossibleChange: nothing was written.
        NotAccepted: the database refused several times.
        OutcomeUnknown: the last attempt may have been committed; repeat it.
    """
    database = Database(settings.mysql.model_copy(update={"pool_size": CONNECTIONS}))
    client = redis.connect(settings.redis)
    try:
        product = await write_change(database, product_id, change)
        log.info("product_changed", product=product.id, version=product.version)
        floors = Floors(RedisCache(client, kind=PRODUCTS), time.monotonic)
        floor_set = await floors.raise_for(product)
    finally:
        await client.aclose()
        await database.close()
    return ChangedProduct(
        id=product.id, name=product.name, price=product.price, version=product.version, floor_set=floor_set
    )


async def write_change(database: Transactions, product_id: ProductId, change: ProductChange) -> Product:
    """Return the product as it is after the change, committed; its version is greater if anything is different.

    An attempt whose outcome isn't known is made again: it finds the change done, or does it.
    """
    for _ in range(ATTEMPTS - 1):
        try:
            return await _once(database, product_id, change)
        except (NotAccepted, OutcomeUnknown) as exc:
            log.warning("change_tried_again", product=product_id, error=str(exc))
        await pause(LONGEST_PAUSE_SECONDS)
    return await _once(database, product_id, change)


async def _once(database: Transactions, product_id: ProductId, change: ProductChange) -> Product:
    async with database.transaction() as connection:
        products = MySqlProductChanges(connection)
        before = await products.lock(product_id)
        if before is None:
            raise NoSuchProduct(f"there is no product {product_id}")
        after = changed(before, change)
        if after != before:
            await products.save(after)
    return after


class Floors:
    """Sets version floors, with patience."""

    def __init__(self, cache: SharedCache, clock: Callable[[], float], *, retry_seconds: float = RETRY_SECONDS) -> None:
        """Take where the floors are.

        Args:
            cache: the shared cache.
            clock: seconds that only grow.
            retry_seconds: so long an attempt follows another.
        """
        self._cache = cache
        circuits = Circuits(Dependency.REDIS, clock=clock)
        self._guard = Guard(circuits, "product-floor", answer_seconds=ANSWER_SECONDS)
        self._clock = clock
        self._retry_seconds = retry_seconds

    async def raise_for(self, product: Product) -> bool:
        """Return True when the floor is set; False when Redis stayed away until nothing older could be left."""
        deadline = self._clock() + self._retry_seconds
        while True:
            try:
                await self._guard.ask(lambda: self._cache.raise_floor(product.id, product.version))
            except CacheAway as exc:
                log.info("floor_not_set", product=product.id, version=product.version, error=str(exc))
            else:
                return True
            left = deadline - self._clock()
            if left <= 0:
                log.warning("floor_given_up", product=product.id, version=product.version)
                return False
            await asyncio.sleep(min(left, LONGEST_PAUSE_SECONDS))
