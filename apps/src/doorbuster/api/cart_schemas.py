"""The bodies of requests and answers about carts, as the OpenAPI document shows them."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from doorbuster.api.schemas import Command, Id
from doorbuster.carts.model import MOST_UNITS


class PutLineRequest(Command):
    """How many units of the product are to be in the cart."""

    quantity: Annotated[int, Field(ge=1, le=MOST_UNITS)]


class CheckOutRequest(Command):
    """With which coupon the cart is ordered; null means with none."""

    coupon_id: Id | None = None


class CartLineDocument(BaseModel):
    """So many units of a product, at the price that it will have when it is ordered."""

    product_id: int
    quantity: int


class CartDocument(BaseModel):
    """One's cart, its lines in the order in which they were added; `updated_at` is null while it was never used."""

    lines: list[CartLineDocument]
    updated_at: datetime | None
