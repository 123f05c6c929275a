"""Puts the API's catalogue together: products through the caches, pages and search from a secondary (R5, R6)."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Protocol

from redis.asyncio import Redis

from doorbuster.bootstrap.reads import CatalogueReads
from doorbuster.infra.batches.coalesced_reads import PUBLIC_READS, CoalescedReads
from doorbuster.infra.cache.bounds import FLIGHT_SECONDS
from doorbuster.infra.cache.byte_cache import ByteCache
from doorbuster.infra.cache.changes import listen_for_changes
from doorbuster.infra.cache.coalesced_cache import CoalescedCache
from doorbuster.infra.cache.entries import Entry
from doorbuster.infra.cache.guard import Guard
from doorbuster.infra.cache.read_through import ReadThrough
from doorbuster.infra.cache.redis_cache import RedisCache
from doorbuster.infra.circuits import Circuits
from doorbuster.infra.mysql.database import Database
from doorbuster.infra.process.background import in_background
from doorbuster.kernel.ids import ProductId
from doorbuster.products.documents import is_body_of, product_body
from doorbuster.products.model import Product
from doorbuster.products.repository import MySqlCatalogueSource
from doorbuster.products.search import Position
from doorbuster.products.service import CatalogueService
from doorbuster.settings import CopySettings, Settings

PRODUCTS = "product"
"""The kind of copies, in names of Redis' keys and of metrics."""


def entry_of(product: Product) -> Entry:
    """Return what is cached of a product."""
    return Entry(version=product.version, body=product_body(product))


def is_product_body(key: int, body: bytes) -> bool:
    """Tell whether cached bytes are what this release would serve of the product."""
    return is_body_of(ProductId(key), body)


class ProductReads(Protocol):
    """Reads of many products at once."""

    async def find(self, product_ids: Collection[ProductId]) -> Mapping[ProductId, Product]:
        """Return the products that exist, as a secondary knows them; what it lacks is asked of the primary (R5)."""
        ...

    async def newest(self, product_ids: Collection[ProductId]) -> Mapping[ProductId, Product]:
        """Return the products that exist, as the primary knows them."""
        ...


class ProductSource:
    """Products for the caches: many keys at once, from a secondary or from the primary."""

    def __init__(self, service: ProductReads) -> None:
        """Put coalescers in front of the service."""
        self._usual: CoalescedReads[ProductId, Product] = CoalescedReads(
            service.find, name="product-by-id", limits=PUBLIC_READS, deadline_seconds=FLIGHT_SECONDS
        )
        self._newest: CoalescedReads[ProductId, Product] = CoalescedReads(
            service.newest, name="newest-product", limits=PUBLIC_READS, deadline_seconds=FLIGHT_SECONDS
        )

    async def usual(self, key: int) -> Entry | None:
        """Return a copy of what a secondary knows; None only if the primary has nothing either (R5)."""
        return _entry(await self._usual.find(ProductId(key)))

    async def newest(self, key: int) -> Entry | None:
        """Return a copy of what the primary knows; None if there is nothing."""
        return _entry(await self._newest.find(ProductId(key)))

    async def drain(self) -> None:
        """Refuse new reads, and return when those that wait are done."""
        await self._usual.drain()
        await self._newest.drain()


class CachedCatalogue:
    """What the API knows of products."""

    def __init__(
        self, reads: CatalogueReads, source: ProductSource, cache: CoalescedCache | None, *, near: ReadThrough
    ):
        """Take what reads lists, and what reads one product, level by level."""
        self._reads = reads
        self._source = source
        self._cache = cache
        self._near = near

    async def find(self, product_id: ProductId) -> Entry | None:
        """Return the product's document and version; None if there is none."""
        return await self._near.find(product_id)

    async def page(self, *, after: ProductId, limit: int) -> Sequence[Product]:
        """Return products behind `after`, ascending by id."""
        return await self._reads.page(after=after, limit=limit)

    async def search(self, prefix: str, *, behind: Position | None, limit: int) -> Sequence[Product]:
        """Return products whose names begin so, behind a position, by name and id."""
        return await self._reads.search(prefix, behind=behind, limit=limit)

    async def drain(self) -> None:
        """Return when the reads that wait are done; new ones are refused."""
        # From the front to the back: what is in front waits for what is behind it.
        await self._near.drain()
        behind = [self._reads.drain(), self._source.drain()]
        await asyncio.gather(*behind, *([self._cache.drain()] if self._cache is not None else []))


@asynccontextmanager
async def cached_catalogue(
    settings: Settings, database: Database, *, client: Redis, circuits: Circuits
) -> AsyncIterator[CachedCatalogue]:
    """Yield the catalogue, which hears of changes while the context lasts; nothing here waits for a server."""
    source = ProductSource(CatalogueService(MySqlCatalogueSource(database)))
    copies = RedisCache(client, kind=PRODUCTS)
    cache = _shared(copies, circuits) if settings.copies.redis else None
    process = ByteCache(time.monotonic) if settings.copies.process else None
    # Jitter surprises no attacker.
    near = ReadThrough(source, process=process, shared=cache, clock=time.monotonic, chance=random.random)
    reads = CatalogueReads(database, deadline_seconds=settings.api.deadline_seconds)
    async with AsyncExitStack() as stack:
        if _hears_changes(settings.copies):
            listening = listen_for_changes(client, copies.channel, changed=near.changed, missed=near.missed)
            await stack.enter_async_context(in_background(listening))
        yield CachedCatalogue(reads, source, cache, near=near)


def _shared(copies: RedisCache, circuits: Circuits) -> CoalescedCache:
    return CoalescedCache(copies, Guard(circuits, PRODUCTS), kind=PRODUCTS, is_body_of=is_product_body)


def _hears_changes(cache: CopySettings) -> bool:
    # Where nothing of Redis is used, nothing is to be heard from it either: else its worth couldn't be measured.
    return cache.process and cache.redis


def _entry(product: Product | None) -> Entry | None:
    return None if product is None else entry_of(product)
