import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorbuster.api.schemas import ProductDocument
from doorbuster.kernel.ids import ProductId
from doorbuster.products.documents import is_body_of, name_and_price, product_body
from doorbuster.products.model import Product


@given(st.integers(1, 2**53), st.text(st.characters(codec="utf-8"), max_size=20), st.integers(1, 2**53))
def test_a_body_is_what_the_api_promises_and_is_known_again(product_id: int, name: str, price: int) -> None:
    body = product_body(Product(id=ProductId(product_id), name=name, price=price, version=3))

    assert ProductDocument.model_validate_json(body, strict=True) == ProductDocument(
        id=product_id, name=name, price=price
    )
    assert is_body_of(ProductId(product_id), body)
    assert name_and_price(body) == (name, price)
    assert not is_body_of(ProductId(product_id + 1), body)


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"[]", b"null", b"\xff", b'{"id":1,"name":"x"}', b'{"id":1,"name":"x","price":"1"}',
     b'{"id":1,"name":"x","price":1,"more":1}', b'{"id":1,"name":"x","price":1'],
)  # fmt: skip
def test_anything_else_is_no_body(body: bytes) -> None:
    assert not is_body_of(ProductId(1), body)
