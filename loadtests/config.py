"""What a rush is: who orders what, how fast, against which ingress. Read from the environment, LOADTEST_<NAME>."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from loadtests.errors import RushMisconfigured
from loadtests.shapes.stages import FLASH_SALE, Course, steady

PREFIX = "LOADTEST_"
# 600 of 20,400: three times what a hot product with 200 units has (P20).
HOT_SHARE = 0.03

Id = Annotated[int, Field(ge=1)]
Count = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class CourseName(StrEnum):
    """The courses that can be asked for."""

    FLASH_SALE = "flash_sale"
    STEADY = "steady"


class Rush(BaseModel):
    """One rush of shoppers.

    Attributes:
        base_url: what URLs begin with, such as `http://127.0.0.1:8080`.
        first_user: the least id of the shoppers; the others follow without gaps.
        users: how many shoppers there are.
        first_product: the least id of what they want; the others follow without gaps.
        products: how many such products there are.
        hot_product: the product that everybody wants; None if there is none. It is none of the products above.
        hot_orders: how many of all scheduled orders want it; None means 3 % of them, or 0 without such a product.
        seed: the same seed gives the same shoppers and products in the same order.
        course: how the rate goes.
        peak: its greatest value, in orders a second.
        seconds: how long the course takes; None means as long as it was drawn, which a steady one wasn't.
        witness: the file that gets a line for each try.
        timeout_seconds: how long a shopper waits for an answer.
        latest_start_seconds: an order that begins later than this after its moment isn't begun at all.
        most_in_flight: the most orders that are under way at once.
        parent: the process that began the rush, which ends with it; None means that it goes on alone.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    base_url: Annotated[str, StringConstraints(pattern=r"^https?://[^/?#\s]+$")]
    first_user: Id
    users: Count
    first_product: Id
    products: Count
    hot_product: Id | None = None
    hot_orders: Annotated[int, Field(ge=0)] | None = None
    seed: int = 1
    course: CourseName = CourseName.FLASH_SALE
    peak: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 100.0
    seconds: Seconds | None = None
    witness: Path
    timeout_seconds: Seconds = 10.0
    latest_start_seconds: Seconds = 1.0
    most_in_flight: Count = 1000
    parent: Id | None = None

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

    @property
    def arrivals(self) -> Course:
        """When orders come."""
        if self.course is CourseName.STEADY and self.seconds is not None:
            return steady(self.peak, self.seconds)
        course = FLASH_SALE.scaled(self.peak)
        return course if self.seconds is None else course.lasting(self.seconds)

    @property
    def hot_wanted(self) -> int:
        """How many of the scheduled orders want the hot product."""
        if self.hot_product is None:
            return 0
        return round(self.arrivals.scheduled * HOT_SHARE) if self.hot_orders is None else self.hot_orders

    def environment(self) -> dict[str, str]:
        """Return the variables that `rush_from` reads as this rush."""
        values = self.model_dump(mode="json", exclude_none=True)
        return {PREFIX + name.upper(): str(value) for name, value in values.items()}


def rush_from(environment: Mapping[str, str]) -> Rush:
    """Return the rush that the variables LOADTEST_* describe; an empty one counts as not set.

    Raises:
        RushMisconfigured: one is missing, unknown or makes no sense; the sentence names every such variable.
    """
    values = {
        name.removeprefix(PREFIX).lower(): value
        for name, value in environment.items()
        if name.startswith(PREFIX) and value
    }
    try:
        return Rush.model_validate(values)
    except ValidationError as exc:
        found = (f"{_variables(error['loc'])}: {error['msg']}" for error in exc.errors(include_url=False))
        raise RushMisconfigured("; ".join(found)) from exc


def _variables(location: tuple[int | str, ...]) -> str:
    # What several values say together has no place of its own.
    return PREFIX + (str(location[0]).upper() if location else "*")
