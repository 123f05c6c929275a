from collections.abc import Collection, Mapping

import pytest

from doorbuster.bootstrap import warmable
from doorbuster.bootstrap.catalogue import entry_of, is_product_body
from doorbuster.bootstrap.warm_gates import Coupons
from doorbuster.bootstrap.warm_products import AT_ONCE, Products
from doorbuster.bootstrap.warmable import Warmed, keep_warm
from doorbuster.coupons.issue_ports import Claim, GateUnavailable
from doorbuster.infra.cache.entries import unpack
from doorbuster.infra.cache.shared_cache import CacheAway
from doorbuster.kernel.ids import ProductId
from doorbuster.products.model import Product
from tests.unit.doorbuster.coupons.fake_gate import FakeGate
from tests.unit.doorbuster.coupons.gate_contract import claims, opened
from tests.unit.doorbuster.coupons.issues import COUPON, OTHER, MemoryCoupons, command, coupon
from tests.unit.doorbuster.infra.cache.fake_cache import Clock, FakeCache


def product(number: int, *, version: int = 1) -> Product:
    return Product(id=ProductId(number), name=f"Lamp {number}", price=number, version=version)


class Catalogue:
    """Products 1 to `count`; a secondary that doesn't know the newest version of those in `changed`."""

    def __init__(self, count: int = 250, *, changed: Collection[int] = ()) -> None:
        self._count, self._changed = count, changed
        self.asked: list[int] = []

    async def find(self, product_ids: Collection[ProductId]) -> Mapping[ProductId, Product]:
        self.asked.append(len(product_ids))
        return {each: product(each) for each in product_ids if each <= self._count}

    async def newest(self, product_ids: Collection[ProductId]) -> Mapping[ProductId, Product]:
        return {each: product(each, version=2 if each in self._changed else 1) for each in product_ids}


@pytest.fixture
def cache() -> FakeCache:
    return FakeCache(Clock())


async def test_all_named_products_are_filled_part_by_part(cache: FakeCache) -> None:
    catalogue = Catalogue()

    done = await Products(catalogue, cache, [range(1, 240), range(245, 261)]).fill()

    assert done == Warmed(named=255, filled=245, unknown=10, outdated=0)
    assert catalogue.asked == [AT_ONCE, AT_ONCE, 55]
    found = await cache.find(range(1, 300))
    assert len(found) == 245
    assert unpack(found[7]) == entry_of(product(7))
    assert is_product_body(7, unpack(found[7]).body)


async def test_what_a_secondary_does_not_know_yet_is_read_from_the_primary(cache: FakeCache) -> None:
    await cache.raise_floor(3, 2)
    await cache.raise_floor(4, 9)

    done = await Products(Catalogue(changed=[3]), cache, [range(1, 6)]).fill()

    assert done == Warmed(named=5, filled=4, unknown=0, outdated=1)
    assert unpack((await cache.find([3]))[3]).version == 2


async def test_without_redis_it_says_so(cache: FakeCache) -> None:
    cache.away = True

    with pytest.raises(CacheAway):
        await Products(Catalogue(), cache, [range(1, 6)]).fill()


async def test_copies_are_made_anew_while_the_time_lasts(cache: FakeCache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warmable, "SECONDS_BETWEEN_ROUNDS", 0.01)
    catalogue = Catalogue()

    done = await keep_warm([Products(catalogue, cache, [range(1, 4)])], keep_seconds=0.05)

    assert done == {"products": Warmed(named=3, filled=3, unknown=0, outdated=0)}
    assert len(catalogue.asked) >= 2


async def test_gates_that_are_missing_or_of_another_epoch_are_made_and_open_ones_stay() -> None:
    gate, coupons = FakeGate(), MemoryCoupons(coupons={COUPON: coupon(), OTHER: coupon(OTHER, epoch=4)})
    await coupons.issue([command(7, 7)])
    await opened(gate, coupon(OTHER, epoch=4))

    done = await Coupons(coupons, gate, [range(1, 4)]).fill()

    assert done == Warmed(named=3, filled=2, unknown=1, outdated=0)
    assert coupons.coupons[OTHER].epoch == 4
    assert await claims(gate, 7, 8, epoch=coupons.coupons[COUPON].epoch) == [Claim.HELD, Claim.CLAIMED]


async def test_without_redis_no_gate_is_open_and_it_says_so() -> None:
    gate = FakeGate()
    gate.gone = True

    with pytest.raises(GateUnavailable):
        await Coupons(MemoryCoupons(), gate, [range(1, 2)]).fill()
