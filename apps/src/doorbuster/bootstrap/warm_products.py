"""Fills Redis with copies of named products (R6)."""

import random
import time
from collections.abc import Iterator, Sequence
from itertools import chain, islice

import structlog
from redis.exceptions import RedisError

from doorbuster.bootstrap.catalogue import ProductReads, entry_of
from doorbuster.bootstrap.warmable import Warmed
from doorbuster.infra.cache.bounds import SHARED_SECONDS, shortened
from doorbuster.infra.cache.shared_cache import CacheAway, Filling, SharedCache
from doorbuster.kernel.ids import ProductId
from doorbuster.products.model import Product

# One query and one script each; neither holds its server for long.
AT_ONCE = 100
SECONDS_BETWEEN_REPORTS = 1.0

log = structlog.get_logger()


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
