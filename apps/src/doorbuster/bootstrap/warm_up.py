"""Fills Redis with copies of named rows before a sale, so that its first second doesn't fall onto the database.

A copy lives for some seconds only (R6), so the filling goes on until the sale begins. A warm-up never makes anything
older: it offers copies as every reader does.
"""

import asyncio
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Protocol

import structlog
from redis.exceptions import RedisError

from doorbuster.bootstrap.catalogue import PRODUCTS, ProductReads, entry_of
from doorbuster.infra import redis
from doorbuster.infra.cache.bounds import SHARED_SECONDS, shortened
from doorbuster.infra.cache.redis_cache import RedisCache
from doorbuster.infra.cache.shared_cache import CacheAway, Filling, SharedCache
from doorbuster.infra.mysql.database import Database
from doorbuster.kernel.ids import ProductId
from doorbuster.products.model import Product
from doorbuster.products.repository import MySqlCatalogueSource
from doorbuster.products.service import CatalogueService
from doorbuster.settings import Settings

# One query and one script each; neither holds its server for long.
AT_ONCE = 100
# Well before the first copies end, which live for 80 % of their time at least.
SECONDS_BETWEEN_ROUNDS = 10.0
SECONDS_BETWEEN_REPORTS = 1.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Warmed:
    """What one kind's last round came to; the field names are those of the job's answer.

    Attributes:
        unknown: of those that were named, how many don't exist.
        outdated: how many copies were newer in Redis already, also than the primary's.
    """

    named: int
    filled: int
    unknown: int
    outdated: int


class Warmable(Protocol):
    """One kind of copies that can be filled ahead."""

    @property
    def kind(self) -> str:
        """What is filled, in the plural."""
        ...

    @property
    def count(self) -> int:
        """How many are named."""
        ...

    async def fill(self) -> Warmed:
        """Fill all of them once; raises CacheAway or NotAccepted."""
        ...


class Products:
    """Products to be filled."""

    kind = "products"

    def __init__(self, catalogue: ProductReads, cache: SharedCache, ranges: Sequence[range]) -> None:
        """Take where products are read, where their copies go, and which ones."""
        self._catalogue = catalogue
        self._cache = cache
        self._ranges = ranges
        self._reported_at = -SECONDS_BETWEEN_REPORTS

    @property
    def count(self) -> int:
        """How many are named, those twice that are named twice."""
        return sum(len(each) for each in self._ranges)

    async def fill(self) -> Warmed:
        """Fill all of them once.

        Raises:
            CacheAway: Redis doesn't answer.
            NotAccepted: the database doesn't.
        """
        done = Warmed(named=0, filled=0, unknown=0, outdated=0)
        for product_ids in _parts(self._ranges):
            done = _sum(done, await self._fill(product_ids))
            self._report(done)
        return done

    async def _fill(self, product_ids: Sequence[ProductId]) -> Warmed:
        began = time.monotonic()
        found = await self._catalogue.find(product_ids)
        refused = await self._offer(list(found.values()), began)
        # A secondary that lags behind a write; the primary has it.
        newest = await self._catalogue.newest(refused) if refused else {}
        outdated = await self._offer(list(newest.values()), began)
        return Warmed(
            named=len(product_ids),
            filled=len(found) - len(outdated),
            unknown=len(set(product_ids)) - len(found),
            outdated=len(outdated),
        )

    async def _offer(self, products: Sequence[Product], began: float) -> Sequence[ProductId]:
        """Return those that weren't taken."""
        if not products:
            return ()
        taken = await _answered(self._cache, [_filling(product, began) for product in products])
        return [product.id for product, each in zip(products, taken, strict=True) if not each]

    def _report(self, done: Warmed) -> None:
        now = time.monotonic()
        if now - self._reported_at >= SECONDS_BETWEEN_REPORTS or done.named == self.count:
            self._reported_at = now
            log.info("warming", kind=self.kind, done=done.named, of=self.count, unknown=done.unknown)


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmUp:
    """What is wanted.

    Attributes:
        products: ids.
        keep_seconds: so long copies that end are made anew.
    """

    products: Sequence[range]
    keep_seconds: float = 0.0


async def warm_up(settings: Settings, wanted: WarmUp) -> Mapping[str, Warmed]:
    """Fill all that is wanted, and keep it filled; return what the last round came to, by kind.

    Raises:
        CacheAway: Redis doesn't answer.
        NotAccepted: the database doesn't.
    """
    # One query at a time: to a secondary, else to the primary.
    database = Database(settings.mysql.model_copy(update={"pool_size": 1}), reader_pool_size=1)
    client = redis.connect(settings.redis)
    try:
        catalogue = CatalogueService(MySqlCatalogueSource(database))
        parts = [Products(catalogue, RedisCache(client, kind=PRODUCTS), wanted.products)]
        return await keep_warm(parts, keep_seconds=wanted.keep_seconds)
    finally:
        await client.aclose()
        await database.close()


async def keep_warm(parts: Sequence[Warmable], *, keep_seconds: float) -> Mapping[str, Warmed]:
    """Fill all parts once, and again every ten seconds while the time lasts; return what the last round came to."""
    until = time.monotonic() + keep_seconds
    while True:
        began = time.monotonic()
        done = {part.kind: await part.fill() for part in parts}
        log.info(
            "warm", seconds=round(time.monotonic() - began, 3), **{kind: each.filled for kind, each in done.items()}
        )
        left = until - time.monotonic()
        if left <= 0:
            return done
        await asyncio.sleep(min(left, SECONDS_BETWEEN_ROUNDS))


async def _answered(cache: SharedCache, fillings: Sequence[Filling]) -> Sequence[bool]:
    try:
        return await cache.fill(fillings)
    except (RedisError, OSError) as exc:
        raise CacheAway(f"Redis does not answer: {type(exc).__name__}") from exc


def _parts(ranges: Sequence[range]) -> Iterator[Sequence[ProductId]]:
    numbers = chain.from_iterable(ranges)
    while part := [ProductId(number) for number in islice(numbers, AT_ONCE)]:
        yield part


def _filling(product: Product, began: float) -> Filling:
    # Spread, so that what was filled together doesn't end together.
    seconds = shortened(SHARED_SECONDS, random.random())  # noqa: S311 - no secret
    return Filling(key=product.id, entry=entry_of(product), seconds=seconds - (time.monotonic() - began))


def _sum(one: Warmed, other: Warmed) -> Warmed:
    return Warmed(
        named=one.named + other.named,
        filled=one.filled + other.filled,
        unknown=one.unknown + other.unknown,
        outdated=one.outdated + other.outdated,
    )
