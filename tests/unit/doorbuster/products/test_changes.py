import pytest

from doorbuster.kernel.ids import ProductId
from doorbuster.products.changes import GREATEST_PRICE, ImpossibleChange, ProductChange, changed
from doorbuster.products.model import Product

LAMP = Product(id=ProductId(1), name="Lamp", price=100, version=7)


@pytest.mark.parametrize(
    ("change", "after"),
    [
        (ProductChange(price=90), Product(id=ProductId(1), name="Lamp", price=90, version=8)),
        (ProductChange(name="Lámpa"), Product(id=ProductId(1), name="Lámpa", price=100, version=8)),
        (ProductChange(name="Desk", price=1), Product(id=ProductId(1), name="Desk", price=1, version=8)),
    ],
)
def test_a_change_raises_the_version(change: ProductChange, after: Product) -> None:
    assert changed(LAMP, change) == after


@pytest.mark.parametrize("change", [ProductChange(), ProductChange(price=100), ProductChange(name="Lamp", price=100)])
def test_what_changes_nothing_has_no_new_version(change: ProductChange) -> None:
    assert changed(LAMP, change) == LAMP


@pytest.mark.parametrize(
    "change",
    [
        ProductChange(price=0),
        ProductChange(price=-1),
        ProductChange(price=GREATEST_PRICE + 1),
        ProductChange(name=""),
        ProductChange(name="x" * 201),
    ],
)
def test_what_no_product_can_have_is_refused(change: ProductChange) -> None:
    with pytest.raises(ImpossibleChange):
        changed(LAMP, change)


def test_the_longest_name_and_the_greatest_price_are_possible() -> None:
    assert changed(LAMP, ProductChange(name="가" * 200, price=GREATEST_PRICE)).version == 8
