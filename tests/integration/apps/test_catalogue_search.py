"""Search by the beginning of a name on the real collation: whatever the letters are, and by the index."""

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import Row, event, text

from doorbuster.infra.mysql import rows
from doorbuster.infra.mysql.database import Database
from doorbuster.kernel.ids import ProductId
from doorbuster.products.repository import MySqlCatalogueSource
from doorbuster.products.search import Position
from doorbuster.products.service import CatalogueService
from doorbuster.products.tables import products

pytestmark = pytest.mark.integration

LAST = "\U0010ffff"
NAMES = (
    "100", "100%", "100% wool", "100_", "100_x", "a", "a ", "a\ud7ff", "a\ue000", f"a{LAST}", f"a{LAST}b", "A", "b",
    "é", "éclair", "e\u0301clair", "가방", "가위", "😀", "😀😀", f"{LAST}", f"{LAST}{LAST}",
)  # fmt: skip


@pytest.fixture
async def catalogue(database: Database) -> CatalogueService:
    """One product of each name, but two with the last one."""
    async with database.transaction() as connection:
        await rows.add(connection, products, [_row(number, name) for number, name in enumerate((*NAMES, NAMES[-1]), 1)])
    return CatalogueService(MySqlCatalogueSource(database))


def _row(number: int, name: str) -> dict[str, object]:
    return {"id": number, "name": name, "price": 5, "version": 1}


async def all_names(catalogue: CatalogueService, prefix: str, *, limit: int) -> Sequence[str]:
    """All names, read page by page."""
    found: list[str] = []
    behind: Position | None = None
    while page := await catalogue.search(prefix, behind=behind, limit=limit):
        found += [product.name for product in page]
        behind = Position(name=page[-1].name, id=page[-1].id)
    return found


@pytest.mark.parametrize("limit", [1, 2, 100])
@pytest.mark.parametrize(
    "prefix", ["%", "_", "1", "100%", "100_", "a", "a ", "A", f"a{LAST}", "é", "가", "😀", LAST, "x"]
)
async def test_exactly_the_names_that_begin_so_are_found_in_their_order(
    catalogue: CatalogueService, prefix: str, limit: int
) -> None:
    there = [*NAMES, NAMES[-1]]

    assert await all_names(catalogue, prefix, limit=limit) == sorted(
        (name for name in there if name.startswith(prefix)), key=str.encode
    )


async def test_products_of_one_name_follow_by_their_ids(catalogue: CatalogueService) -> None:
    first, second = await catalogue.search(NAMES[-1])

    assert (first.name, second.name) == (NAMES[-1], NAMES[-1])
    assert first.id < second.id
    behind_first = Position(name=first.name, id=first.id)
    assert await catalogue.search(NAMES[-1], behind=behind_first) == [second]


async def test_a_place_of_another_search_leaves_out_nothing_that_is_behind_it(catalogue: CatalogueService) -> None:
    assert [each.name for each in await catalogue.search("b", behind=Position(name="", id=ProductId(0)))] == ["b"]
    assert await catalogue.search("b", behind=Position(name="c", id=ProductId(0))) == []


async def test_a_page_reads_the_index_in_its_order(catalogue: CatalogueService, database: Database) -> None:
    async with database.transaction() as connection:
        new = [_row(number, f"Product {number % 50}") for number in range(1_000, 3_000)]
        await rows.add(connection, products, new)
    # Outside: it commits by itself.
    async with database.reading() as connection:
        await connection.execute(text("ANALYZE TABLE products"))
    plans: list[Row[Any]] = []
    for behind in (None, Position(name="Product 4", id=ProductId(1_054))):
        plans += await _plan(database, behind)

    assert {(plan.type, plan.key) for plan in plans} == {("range", "ix_products_name_id")}
    assert all("filesort" not in (plan.Extra or "") for plan in plans)


async def _plan(database: Database, behind: Position | None) -> list[Row[Any]]:
    statements: list[tuple[str, object]] = []
    source = MySqlCatalogueSource(database)
    async with source.primary() as reads:
        connection = reads._connection
        synchronous = connection.sync_connection
        assert synchronous is not None

        def note(_c: object, _cursor: object, statement: str, parameters: object, *_more: object) -> None:
            statements.append((statement, parameters))

        event.listen(synchronous, "before_cursor_execute", note)
        await reads.search("Product 4", behind, 20)
        event.remove(synchronous, "before_cursor_execute", note)
        (statement, parameters), *_ = statements
        found = await connection.exec_driver_sql(f"EXPLAIN FORMAT=TRADITIONAL {statement}", parameters)  # type: ignore[arg-type]
        return list(found.all())
