"""Puts the warm-up together: products and the gates of coupons, filled and kept filled until a sale has begun."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from doorbuster.bootstrap.catalogue import PRODUCTS
from doorbuster.bootstrap.warm_gates import Coupons
from doorbuster.bootstrap.warm_products import Products
from doorbuster.bootstrap.warmable import Warmable, Warmed, keep_warm
from doorbuster.coupons.issue_repository import MySqlCoupons
from doorbuster.coupons.redis_gate import RedisGate
from doorbuster.infra import redis
from doorbuster.infra.cache.redis_cache import RedisCache
from doorbuster.infra.mysql.database import Database
from doorbuster.products.repository import MySqlCatalogueSource
from doorbuster.products.service import CatalogueService
from doorbuster.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmUp:
    """What is wanted.

    Attributes:
        products: ids whose copies are filled.
        coupons: ids whose gates are to be open.
        keep_seconds: so long copies that end are made anew.
    """

    products: Sequence[range] = ()
    coupons: Sequence[range] = ()
    keep_seconds: float = 0.0


async def warm_up(settings: Settings, wanted: WarmUp) -> Mapping[str, Warmed]:
    """Fill all that is wanted, and keep it filled; return what the last round came to, by kind.

    Raises:
        CacheAway, GateUnavailable: Redis doesn't answer.
        NotAccepted, OutcomeUnknown: the database doesn't.
    """
    # One query at a time: to a secondary, else to the primary.
    database = Database(settings.mysql.model_copy(update={"pool_size": 1}), reader_pool_size=1)
    client = redis.connect(settings.redis)
    parts: list[Warmable] = []
    try:
        if wanted.products:
            catalogue = CatalogueService(MySqlCatalogueSource(database))
            parts.append(Products(catalogue, RedisCache(client, kind=PRODUCTS), wanted.products))
        if wanted.coupons:
            parts.append(Coupons(MySqlCoupons(database), RedisGate(client), wanted.coupons))
        return await keep_warm(parts, keep_seconds=wanted.keep_seconds)
    finally:
        await client.aclose()
        await database.close()
