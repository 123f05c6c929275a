"""The bodies of requests and answers, as the OpenAPI document shows them.

Requests are strict: unknown fields, and a boolean or a fraction in place of an integer, are refused. Points and
quantities are integers.
"""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from doorbuster.infra.health import State, Verdict
from doorbuster.kernel.breaker import BreakerState
from doorbuster.orders.model import MOST_LINES, MOST_UNITS
from doorbuster.points.model import MOST_CHARGE
from doorbuster.products.search import LONGEST_NAME

# Greater integers lose digits in JSON readers that hold numbers as doubles.
GREATEST_ID = 2**53
MOST_PER_PAGE = 100
# No control characters, of ASCII or of Latin-1, and none of those that stand for bytes that were no UTF-8.
_PRINTABLE = "^[^\\x00-\\x1f\\x7f-\\x9f\\ufffd]*$"

Id = Annotated[int, Field(ge=1, le=GREATEST_ID)]


def _only_digits(value: object) -> object:
    """Refuse what is a number to Python and to nobody else, such as ` 1`, `1_0` or `1.0`."""
    if isinstance(value, str) and not (value.isascii() and value.isdigit()):
        raise PydanticCustomError("digits", "Input should be written in digits")
    return value


# Of numbers in paths and queries, which are text. Behind their bounds, or the document forgets those.
DIGITS = BeforeValidator(_only_digits)


class Command(BaseModel):
    """What all bodies of requests have in common."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class PlaceOrderLine(Command):
    """So many units of one product; a product stands in one line only."""

    product_id: Id
    quantity: Annotated[int, Field(ge=1, le=MOST_UNITS)]


class PlaceOrderRequest(Command):
    """What a buyer wants."""

    lines: Annotated[tuple[PlaceOrderLine, ...], Field(min_length=1, max_length=MOST_LINES)]
    coupon_id: Annotated[Id | None, Field(description="A coupon of one's own to redeem; null or absent for none.")] = (
        None
    )


class ChargePointsRequest(Command):
    """How many points to add to one's own."""

    amount: Annotated[int, Field(ge=1, le=MOST_CHARGE)]


class OrderLineDocument(BaseModel):
    """A line at the price at which it was ordered, in points."""

    product_id: int
    quantity: int
    unit_price: int


class AcceptedOrder(BaseModel):
    """An order that was accepted; whether it will be PAID is known later."""

    id: UUID
    status: Literal["PENDING"]
    total: int
    coupon_id: int | None
    lines: list[OrderLineDocument]
    created_at: datetime


class OrderDocument(BaseModel):
    """An order as it is now; `failure_reason` and `finished_at` are null until they are known.

    `to_pay` is `total` less `discount`, which is 0 until the coupon was looked at, and when the order FAILED.
    """

    id: UUID
    status: Literal["PENDING", "PAID", "FAILED"]
    total: int
    coupon_id: int | None
    discount: int
    to_pay: int
    lines: list[OrderLineDocument]
    created_at: datetime
    failure_reason: str | None
    finished_at: datetime | None


class OrderPage(BaseModel):
    """Orders, newest first; `next_cursor` is null on the last page."""

    orders: list[OrderDocument]
    next_cursor: UUID | None


class ChargedDocument(BaseModel):
    """A charge that was made, and the balance just after it."""

    id: UUID
    balance: int


class BalanceDocument(BaseModel):
    """One's points."""

    balance: int


class ProductDocument(BaseModel):
    """A product and its price in points."""

    id: int
    name: str
    price: int


class ProductPage(BaseModel):
    """Products by id, or by name and id; `next_cursor` says nothing to a client, and is null on the last page."""

    products: list[ProductDocument]
    next_cursor: str | None


class RankedProductDocument(BaseModel):
    """A product by the units that were sold of it; the first has rank 1."""

    rank: int
    product_id: int
    name: str
    price: int
    units: int


class ProductRanking(BaseModel):
    """The best-selling products, the first one first; seconds old."""

    products: list[RankedProductDocument]


class FieldErrorDocument(BaseModel):
    """One field that is wrong."""

    field: str
    message: str


class ProblemDocument(BaseModel):
    """RFC 9457; `code` is stable, `instance` is the trace's id and absent in a stored answer."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    errors: list[FieldErrorDocument]
    instance: str | None = None


class PageOfOrders(BaseModel):
    """Which orders to show."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=MOST_PER_PAGE), DIGITS] = 20
    cursor: UUID | None = None


class PageOfProducts(BaseModel):
    """Which products to show; `cursor` is the `next_cursor` of the page before."""

    model_config = ConfigDict(extra="forbid")

    name_prefix: Annotated[str, Field(min_length=1, max_length=LONGEST_NAME, pattern=_PRINTABLE)] | None = None
    limit: Annotated[int, Field(ge=1, le=MOST_PER_PAGE), DIGITS] = 20
    cursor: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,2000}$")] | None = None


class LimitOfRanking(BaseModel):
    """How much of the ranking to show."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=MOST_PER_PAGE), DIGITS] = 10


class PoolDocument(BaseModel):
    """Connections of this process to the primary."""

    size: int
    in_use: int


class DependenciesDocument(BaseModel):
    """The state of each dependency."""

    mysql: State
    mysql_secondaries: State
    kafka: State
    redis: State


class OutboxDocument(BaseModel):
    """What waits to be sent; null where nobody could look."""

    rows: int | None
    oldest_age_seconds: float | None
    accepts_orders: bool


class CatalogueDocument(BaseModel):
    """How many products there are, at most 1,000 or the minimum; null if they couldn't be counted."""

    products: int | None
    minimum: int


class MembersDocument(BaseModel):
    """The MySQL group as its primary sees it; `primary` is null outside of a group."""

    primary: str | None
    online: int
    known: int


class BreakersDocument(BaseModel):
    """What each breaker does with a call; null where nobody says."""

    redis: BreakerState | None
    kafka: BreakerState | None
    partner: BreakerState | None


class HealthDocument(BaseModel):
    """The state of everything that the API leans on; `failed` comes with status 503."""

    status: Verdict
    dependencies: DependenciesDocument
    outbox: OutboxDocument
    catalogue: CatalogueDocument
    pool: PoolDocument | None
    pools: dict[str, PoolDocument]
    mysql_members: MembersDocument | None
    breakers: BreakersDocument
    faults: list[str] | None
