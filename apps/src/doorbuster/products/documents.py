"""A product as the bytes that clients read: made once for each version, and kept in the caches as they are (R6)."""

import msgspec

from doorbuster.kernel.ids import ProductId
from doorbuster.products.model import Product


class _Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The fields and their order; stock isn't among them, so that a sale changes no cached byte."""

    id: int
    name: str
    price: int


def product_body(product: Product) -> bytes:
    """Return the JSON document of a product."""
    return msgspec.json.encode(_Document(id=product.id, name=product.name, price=product.price))


def name_and_price(body: bytes) -> tuple[str, int]:
    """Return what a product's JSON document says of it; raises msgspec.DecodeError if it is none."""
    document = msgspec.json.decode(body, type=_Document)
    return document.name, document.price


def is_body_of(product_id: ProductId, body: bytes) -> bool:
    """Tell whether these bytes are a document of this product, in the form that this release writes."""
    try:
        return msgspec.json.decode(body, type=_Document).id == product_id
    except msgspec.DecodeError:
        return False
