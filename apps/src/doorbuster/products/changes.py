"""Changes of a product: each raises its version, so that a copy elsewhere can be told from a newer one (R6)."""

from dataclasses import dataclass, replace

from doorbuster.kernel.errors import DoorbusterError
from doorbuster.products.model import Product
from doorbuster.products.search import LONGEST_NAME

# Greater integers lose digits in JSON readers that hold numbers as doubles.
GREATEST_PRICE = 2**53


class ImpossibleChange(DoorbusterError):
    """No product can have this name or price."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductChange:
    """What is to be different; None leaves it as it is."""

    price: int | None = None
    name: str | None = None


def changed(product: Product, change: ProductChange) -> Product:
    """Return the product after the change, with the next version; the same one if nothing is different.

    Raises:
        ImpossibleChange: the price isn't 1 to 2^53, or the name hasn't 1 to 200 characters.
    """
    if change.price is not None and not 1 <= change.price <= GREATEST_PRICE:
        raise ImpossibleChange(f"a price is 1 to {GREATEST_PRICE} points, not {change.price}")
    if change.name is not None and not 1 <= len(change.name) <= LONGEST_NAME:
        raise ImpossibleChange(f"a name has 1 to {LONGEST_NAME} characters, not {len(change.name)}")
    after = replace(
        product,
        price=product.price if change.price is None else change.price,
        name=product.name if change.name is None else change.name,
    )
    return product if after == product else replace(after, version=product.version + 1)
