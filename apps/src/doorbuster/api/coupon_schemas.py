"""The bodies of requests and answers about coupons, as the OpenAPI document shows them."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from doorbuster.api.schemas import Command


class IssueCouponRequest(Command):
    """Nothing: who asks and for which coupon is all that there is to say. It may be left out."""


class CouponDocument(BaseModel):
    """A coupon: `value` is percent or points, as `kind` says; all amounts are in points.

    It is issued, and taken off orders of at least `minimum_amount`, from `valid_from` until just before `valid_until`.
    """

    model_config = ConfigDict(extra="forbid")

    id: int
    name: str
    kind: Literal["percentage", "fixed"]
    value: int
    most_discount: int | None
    minimum_amount: int
    valid_from: datetime
    valid_until: datetime
    sold_out: bool


class CouponIssueDocument(BaseModel):
    """A coupon that is the user's own, from ACCEPTED on.

    ISSUED follows within moments. `order_id` is the order that it is redeemed by; null while there is none.
    """

    model_config = ConfigDict(extra="forbid")

    id: UUID
    coupon_id: int
    status: Literal["ACCEPTED", "ISSUED"]
    created_at: datetime
    issued_at: datetime | None
    order_id: UUID | None
