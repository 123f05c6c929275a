import pytest

from doorbuster.infra.mysql.database import Database
from doorbuster.kernel.ids import ProductId
from doorbuster.products.model import Product
from doorbuster.products.repository import MySqlCatalogueSource
from doorbuster.products.seed import DOORBUSTER_TEST, CatalogueSeed
from doorbuster.products.service import CatalogueService

pytestmark = pytest.mark.integration


@pytest.fixture
async def catalogue(database: Database) -> CatalogueService:
    """Products 1 to 120."""
    async with database.transaction() as connection:
        await CatalogueSeed(count=120, units=100).write(connection, range(1, 121))
    return CatalogueService(MySqlCatalogueSource(database))


async def test_products_are_found_and_unknown_ones_are_absent(catalogue: CatalogueService) -> None:
    found = await catalogue.find([DOORBUSTER_TEST, ProductId(999)])

    assert found == {DOORBUSTER_TEST: Product(id=DOORBUSTER_TEST, name="doorbuster-test", price=100, version=1)}


async def test_pages_go_on_behind_the_last_product_and_have_at_most_a_hundred(catalogue: CatalogueService) -> None:
    first = await catalogue.page(limit=500)
    second = await catalogue.page(after=first[-1].id)

    assert [product.id for product in first] == list(range(1, 101))
    assert [product.id for product in second] == list(range(101, 121))
