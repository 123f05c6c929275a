"""Reads of the catalogue while servers go away."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from doorbuster.kernel.errors import NotAccepted, Overloaded, PrimaryUnavailable
from doorbuster.kernel.ids import ProductId
from doorbuster.products.model import Product
from doorbuster.products.ports import CatalogueRepository
from doorbuster.products.ranking import SoldUnits
from doorbuster.products.repository import MySqlBestSellers
from doorbuster.products.search import Position
from doorbuster.products.service import CatalogueService

LAMP = Product(id=ProductId(1), name="Lamp", price=100, version=1)
Read = Callable[[CatalogueService], Awaitable[object]]
READS: list[tuple[Read, object]] = [
    (lambda catalogue: catalogue.find([LAMP.id]), {LAMP.id: LAMP}),
    (lambda catalogue: catalogue.page(), [LAMP]),
    (lambda catalogue: catalogue.search("La"), [LAMP]),
]


class Server:
    """A server with one product, which may be lost in the middle of a read."""

    def __init__(self) -> None:
        self.failure: Exception | None = None
        self.reads = 0

    async def find(self, product_ids: Collection[ProductId]) -> Mapping[ProductId, Product]:
        return {product.id: product for product in self._rows() if product.id in product_ids}

    async def page(self, after: ProductId | None, limit: int) -> Sequence[Product]:
        assert (after, limit) == (None, 100)
        return self._rows()

    async def search(self, prefix: str, behind: Position | None, limit: int) -> Sequence[Product]:
        assert (prefix, behind, limit) == ("La", None, 100)
        return self._rows()

    def _rows(self) -> Sequence[Product]:
        self.reads += 1
        if self.failure is not None:
            raise self.failure
        return [LAMP]


class Source:
    def __init__(self) -> None:
        self.near = Server()
        self.first = Server()

    @asynccontextmanager
    async def secondary(self) -> AsyncIterator[CatalogueRepository]:
        yield self.near

    @asynccontextmanager
    async def primary(self) -> AsyncIterator[CatalogueRepository]:
        yield self.first


@pytest.mark.parametrize(("read", "expected"), READS)
async def test_the_primary_is_left_alone_while_a_secondary_answers(read: Read, expected: object) -> None:
    source = Source()

    assert await read(CatalogueService(source)) == expected
    assert (source.near.reads, source.first.reads) == (1, 0)


@pytest.mark.parametrize(("read", "expected"), READS)
async def test_what_a_secondary_was_lost_over_is_read_from_the_primary(read: Read, expected: object) -> None:
    source = Source()
    source.near.failure = PrimaryUnavailable("lost")

    assert await read(CatalogueService(source)) == expected
    assert (source.near.reads, source.first.reads) == (1, 1)


@pytest.mark.parametrize("failure", [Overloaded("full"), NotAccepted("a lock")])
@pytest.mark.parametrize(("read", "_expected"), READS)
async def test_what_is_too_much_for_a_secondary_is_not_brought_to_the_primary(
    read: Read, _expected: object, failure: Exception
) -> None:
    source = Source()
    source.near.failure = failure

    with pytest.raises(type(failure)):
        await read(CatalogueService(source))
    assert source.first.reads == 0


@pytest.mark.parametrize(("read", "_expected"), READS)
async def test_the_primary_is_asked_once(read: Read, _expected: object) -> None:
    source = Source()
    source.near.failure = source.first.failure = PrimaryUnavailable("lost")

    with pytest.raises(PrimaryUnavailable):
        await read(CatalogueService(source))
    assert (source.near.reads, source.first.reads) == (1, 1)


class Counts:
    """A database whose secondary fails in the middle of the read."""

    def __init__(self, failure: Exception) -> None:
        self.failure = failure

    @asynccontextmanager
    async def catalogue(self) -> AsyncIterator[Any]:
        yield self

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Any]:
        yield Rows()

    async def execute(self, _statement: object) -> Sequence[SoldUnits]:
        raise self.failure


class Rows:
    async def execute(self, _statement: object) -> Sequence[SoldUnits]:
        return [BEST]


BEST = SoldUnits(product_id=LAMP.id, units=5, version=2)


async def test_the_best_counts_are_read_from_the_primary_if_a_secondary_is_lost() -> None:
    database = Counts(PrimaryUnavailable("lost"))

    assert await MySqlBestSellers(database).best(10) == [BEST]  # type: ignore[arg-type]  # what it asks for


async def test_the_best_counts_are_not_brought_to_the_primary_by_too_many_readers() -> None:
    with pytest.raises(Overloaded):
        await MySqlBestSellers(Counts(Overloaded("full"))).best(10)  # type: ignore[arg-type]  # what it asks for
