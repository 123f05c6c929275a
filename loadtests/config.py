"""What a load is: who does what, how fast, against which ingress. Read from the environment, LOADTEST_<NAME>."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from loadtests.errors import RushMisconfigured
from loadtests.shapes.stages import FLASH_SALE, Course, steady

PREFIX = "LOADTEST_"
# 600 of 20,400: three times what a hot product with 200 units has (P20).
HOT_SHARE = 0.03

Id = Annotated[int, Field(ge=1)]
Count = Annotated[int, Field(ge=1)]
Amount = Annotated[int, Field(ge=0)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Rate = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class LoadPlan(BaseModel):
    """What all loads have in common.

    Attributes:
        base_url: what URLs begin with, such as `http://127.0.0.1:8080`.
        first_user: the least id of the shoppers; the others follow without gaps.
        users: how many shoppers there are.
        seed: the same seed chooses the same.
        witness: the file that gets a line for each try to order; other tries have a file beside it.
        timeout_seconds: how long a shopper waits for an answer.
        parent: the process that began the load, which ends with it; None means that it goes on alone.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    base_url: Annotated[str, StringConstraints(pattern=r"^https?://[^/?#\s]+$")]
    first_user: Id
    users: Count
    seed: int = 1
    witness: Path
    timeout_seconds: Seconds = 10.0
    parent: Id | None = None

    @property
    def course_seconds(self) -> float | None:
        """How long it takes until the last arrival; None where only the shop's pace says it."""
        return None

    @property
    def shoppers(self) -> range:
        """The ids of all shoppers."""
        return range(self.first_user, self.first_user + self.users)

    def environment(self) -> dict[str, str]:
        """Return the variables that `load_from` reads as this load."""
        values = self.model_dump(mode="json", exclude_none=True)
        return {PREFIX + name.upper(): str(value) for name, value in values.items()}


class CourseName(StrEnum):
    """The courses that can be asked for."""

    FLASH_SALE = "flash_sale"
    STEADY = "steady"


class OpenLoad(LoadPlan):
    """A load whose arrivals come at their moments, whatever became of those before.

    Attributes:
        latest_start_seconds: what begins later than this after its moment isn't begun at all.
        most_in_flight: the most arrivals that are under way at once.
    """

    latest_start_seconds: Seconds = 1.0
    most_in_flight: Count = 1000


class Rush(OpenLoad):
    """One rush of shoppers.

    Attributes:
        first_product: the least id of what they want; the others follow without gaps.
        products: how many such products there are.
        hot_product: the product that everybody wants; None if there is none. It is none of the products above.
        hot_orders: how many of all scheduled orders want it; None means 3 % of them, or 0 without such a product.
        coupon: the coupon that some orders redeem; their shoppers have it issued before the course begins.
        coupon_orders: how many orders do; each is another shopper's.
        checkouts: how many orders are checkouts of carts; each is another shopper's.
        course: how the rate goes.
        peak: its greatest value, in orders a second.
        seconds: how long the course takes; None means as long as it was drawn, which a steady one wasn't.
    """

    first_product: Id
    products: Count
    hot_product: Id | None = None
    hot_orders: Amount | None = None
    coupon: Id | None = None
    coupon_orders: Amount = 0
    checkouts: Amount = 0
    course: CourseName = CourseName.FLASH_SALE
    peak: Rate = 100.0
    seconds: Seconds | None = None

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.course is CourseName.STEADY and self.seconds is None:
            raise ValueError("a steady course needs its seconds")
        if self.hot_product is None and self.hot_orders:
            raise ValueError("hot_orders needs a hot_product")
        if self.hot_product in range(self.first_product, self.first_product + self.products):
            raise ValueError("the hot_product must be none of the products, or nobody knows how many want it")
        if self.hot_wanted > self.arrivals.scheduled:
            raise ValueError(f"hot_orders is more than the {self.arrivals.scheduled} scheduled orders")
        return self

    @model_validator(mode="after")
    def _has_enough_shoppers(self) -> Self:
        if self.coupon is None and self.coupon_orders:
            raise ValueError("coupon_orders needs a coupon")
        special = self.coupon_orders + self.checkouts
        if 2 * special > min(self.users, self.arrivals.scheduled):
            raise ValueError("coupon_orders and checkouts are for half of the shoppers and orders at most")
        return self

    @property
    def arrivals(self) -> Course:
        """When orders come."""
        if self.course is CourseName.STEADY and self.seconds is not None:
            return steady(self.peak, self.seconds)
        course = FLASH_SALE.scaled(self.peak)
        return course if self.seconds is None else course.lasting(self.seconds)

    @property
    def course_seconds(self) -> float:
        """How long the course takes."""
        return self.arrivals.seconds

    @property
    def hot_wanted(self) -> int:
        """How many of the scheduled orders want the hot product."""
        if self.hot_product is None:
            return 0
        return round(self.arrivals.scheduled * HOT_SHARE) if self.hot_orders is None else self.hot_orders


class Journeys(OpenLoad):
    """Shoppers who each charge points, and then order some products, one after the other.

    Attributes:
        first_product: the least id of what each of them orders.
        products: how many each of them orders, one unit of each.
        charge: how many points each of them charges.
        peak: the rate, in requests a second: charges and orders.
        seconds: for how long shoppers arrive.
    """

    first_product: Id
    products: Count
    charge: Count
    peak: Rate
    seconds: Seconds

    @model_validator(mode="after")
    def _has_enough_shoppers(self) -> Self:
        if self.users < self.arrivals.scheduled:
            raise ValueError(f"each of {self.arrivals.scheduled} journeys is another shopper's")
        return self

    @property
    def requests(self) -> int:
        """How many requests a journey has."""
        return 1 + self.products

    @property
    def arrivals(self) -> Course:
        """When shoppers arrive."""
        return steady(self.peak / self.requests, self.seconds)

    @property
    def course_seconds(self) -> float:
        """How long shoppers arrive."""
        return self.seconds


class CouponRush(LoadPlan):
    """A crowd that wants a coupon: visitors who ask for it in the name of one user after the other, and think between.

    Attributes:
        coupon: the coupon.
        visitors: how many there are at the most.
        rise_seconds: from none to all of them; 0 means that all are there at once.
        hold_seconds: how long all of them stay.
        fall_seconds: from all to none.
        think_seconds: how long each thinks after an answer.
    """

    coupon: Id
    visitors: Count
    rise_seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    hold_seconds: Seconds
    fall_seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    think_seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 1.0

    @property
    def course_seconds(self) -> float:
        """How long anybody stays."""
        return self.rise_seconds + self.hold_seconds + self.fall_seconds


class Readers(LoadPlan):
    """Shoppers who all charge points, then look at products, then order: each so many times, without a pause.

    Attributes:
        first_product: the least id of what they look at and order.
        products: how many products there are.
        iterations: how many times each shopper looks, and then orders.
        charge: how many points each charges at the beginning.
    """

    first_product: Id
    products: Count
    iterations: Count
    charge: Count


L = TypeVar("L", bound=LoadPlan)


def load_from(kind: type[L], environment: Mapping[str, str]) -> L:
    """Return the load that the variables LOADTEST_* describe; an empty one counts as not set.

    Raises:
        RushMisconfigured: one is missing, unknown or makes no sense; the sentence names every such variable.
    """
    values = {
        name.removeprefix(PREFIX).lower(): value
        for name, value in environment.items()
        if name.startswith(PREFIX) and value
    }
    try:
        return kind.model_validate(values)
    except ValidationError as exc:
        found = (f"{_variables(error['loc'])}: {error['msg']}" for error in exc.errors(include_url=False))
        raise RushMisconfigured("; ".join(found)) from exc


def rush_from(environment: Mapping[str, str]) -> Rush:
    """Return the rush that the variables LOADTEST_* describe; raises RushMisconfigured."""
    return load_from(Rush, environment)


def _variables(location: tuple[int | str, ...]) -> str:
    # What several values say together has no place of its own.
    return PREFIX + (str(location[0]).upper() if location else "*")
