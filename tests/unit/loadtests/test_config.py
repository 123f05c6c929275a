from pathlib import Path

import pytest

from loadtests.config import CouponRush, CourseName, Journeys, Readers, Rush, load_from, rush_from
from loadtests.errors import RushMisconfigured
from loadtests.shapes.stages import FLASH_SALE, steady

LEAST = {
    "LOADTEST_BASE_URL": "http://127.0.0.1:8080",
    "LOADTEST_FIRST_USER": "1001",
    "LOADTEST_USERS": "500",
    "LOADTEST_FIRST_PRODUCT": "1",
    "LOADTEST_PRODUCTS": "400",
    "LOADTEST_WITNESS": "out/demo/orders.jsonl",
}


def test_the_least_environment_describes_the_whole_flash_sale() -> None:
    rush = rush_from({"HOME": "/root", **LEAST, "LOADTEST_HOT_PRODUCT": ""})

    assert rush == Rush(
        base_url="http://127.0.0.1:8080",
        first_user=1001,
        users=500,
        first_product=1,
        products=400,
        witness=Path("out/demo/orders.jsonl"),
    )
    assert (rush.arrivals, rush.hot_wanted) == (FLASH_SALE, 0)


def test_three_percent_want_a_hot_product() -> None:
    rush = rush_from({**LEAST, "LOADTEST_HOT_PRODUCT": "500"})

    assert rush.hot_wanted == 612


def test_the_environment_of_a_rush_describes_the_same_rush() -> None:
    rush = rush_from({**LEAST, "LOADTEST_HOT_PRODUCT": "500", "LOADTEST_HOT_ORDERS": "0", "LOADTEST_SECONDS": "12.5"})

    assert rush_from(rush.environment()) == rush


def test_peak_and_seconds_change_the_course() -> None:
    flash_sale = rush_from({**LEAST, "LOADTEST_PEAK": "40", "LOADTEST_SECONDS": "60"})
    even = rush_from({**LEAST, "LOADTEST_COURSE": "steady", "LOADTEST_PEAK": "40", "LOADTEST_SECONDS": "60"})

    assert flash_sale.arrivals == FLASH_SALE.scaled(40).lasting(60)
    assert (even.course, even.arrivals) == (CourseName.STEADY, steady(40, 60))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"LOADTEST_WITNESS": ""}, "LOADTEST_WITNESS: Field required"),
        ({"LOADTEST_USERS": "0"}, "LOADTEST_USERS: Input should be greater than or equal to 1"),
        ({"LOADTEST_USER": "1"}, "LOADTEST_USER: Extra inputs are not permitted"),
        ({"LOADTEST_BASE_URL": "127.0.0.1:80"}, "LOADTEST_BASE_URL: String should match pattern"),
        ({"LOADTEST_BASE_URL": "http://shop/"}, "LOADTEST_BASE_URL: String should match pattern"),
        ({"LOADTEST_COURSE": "marathon"}, "LOADTEST_COURSE: Input should be 'flash_sale' or 'steady'"),
        ({"LOADTEST_PEAK": "inf"}, "LOADTEST_PEAK: Input should be a finite number"),
        ({"LOADTEST_COURSE": "steady"}, r"LOADTEST_\*: Value error, a steady course needs its seconds"),
        ({"LOADTEST_HOT_ORDERS": "5"}, r"LOADTEST_\*: Value error, hot_orders needs a hot_product"),
        ({"LOADTEST_HOT_PRODUCT": "400"}, "must be none of the products"),
        ({"LOADTEST_COUPON_ORDERS": "5"}, "coupon_orders needs a coupon"),
        ({"LOADTEST_CHECKOUTS": "251"}, "half of the shoppers"),
        ({"LOADTEST_HOT_PRODUCT": "401", "LOADTEST_HOT_ORDERS": "20401"}, "more than the 20400 scheduled orders"),
    ],
)
def test_what_makes_no_sense_is_named(changes: dict[str, str], sentence: str) -> None:
    with pytest.raises(RushMisconfigured, match=sentence):
        rush_from({**LEAST, **changes})


JOURNEYS = Journeys(
    base_url="http://shop", first_user=1, users=500, first_product=1, products=5, charge=100, peak=50, seconds=60,
    witness=Path("w.jsonl"),
)  # fmt: skip


def test_a_journeys_rate_counts_its_charge_and_its_orders() -> None:
    assert (JOURNEYS.requests, JOURNEYS.arrivals.scheduled, JOURNEYS.course_seconds) == (6, 500, 60)


def test_each_journey_is_another_shoppers() -> None:
    with pytest.raises(RushMisconfigured, match="another shopper's"):
        load_from(Journeys, JOURNEYS.model_copy(update={"users": 499}).environment())


def test_the_environment_of_any_load_describes_the_same_load() -> None:
    common = {"base_url": "http://shop", "first_user": 1, "users": 5, "witness": Path("w.jsonl")}
    rush = CouponRush.model_validate({**common, "coupon": 7, "visitors": 3, "rise_seconds": 10, "hold_seconds": 30})
    readers = Readers.model_validate({**common, "first_product": 3, "products": 4, "iterations": 5, "charge": 6})

    assert load_from(CouponRush, rush.environment()) == rush
    assert load_from(Readers, readers.environment()) == readers
    assert (rush.course_seconds, readers.course_seconds) == (40, None)
