"""What the states of all dependencies mean for buyers."""

from dataclasses import replace

import pytest

from doorbuster.infra.health import Health, State, Verdict

WELL = Health(
    mysql=State.OK,
    kafka=State.OK,
    redis=State.OK,
    products=5,
    outbox_rows=0,
    outbox_oldest_age_seconds=0.0,
    accepts_orders=True,
)


@pytest.mark.parametrize("products", [None, 0])
def test_without_mysql_nothing_can_be_sold(products: int | None) -> None:
    assert replace(WELL, mysql=State.GONE, products=products).verdict is Verdict.FAILED


def test_a_database_that_nobody_could_ask_because_all_others_do_is_no_loss() -> None:
    assert replace(WELL, mysql=State.UNKNOWN, products=None).verdict is Verdict.DEGRADED


def test_a_catalogue_that_is_too_small_fails_and_all_well_is_well() -> None:
    assert replace(WELL, minimum_products=6).verdict is Verdict.FAILED
    assert replace(WELL, minimum_products=5).verdict is Verdict.OK
