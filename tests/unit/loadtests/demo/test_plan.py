from pathlib import Path

import pytest

from loadtests.config import CourseName, rush_from
from loadtests.demo.plan import (
    Files,
    Plan,
    calibration_rush,
    course_rush,
    fault_values,
    phase_of,
    top_up_of,
)
from loadtests.reports.evidence import Operator
from loadtests.reports.timeline import Phase
from loadtests.rig.supplies import Supplies, top_up_command
from loadtests.shapes.stages import FLASH_SALE

SUPPLIES = Supplies(first_user=1001, users=500, first_product=3, products=398, hot_product=401, hot_units=200)


def plan(peak: float = 100.0, operator: Operator = Operator.ON) -> Plan:
    return Plan(operator=operator, peak=peak, folder=Path("/out/demo"), base_url="http://127.0.0.1:8080", seed=7)


@pytest.mark.parametrize(("peak", "seconds"), [(100, 0.03), (50, 0.06), (7, 0.429), (1, 3.0)])
def test_one_replica_works_off_a_third_of_the_peak(peak: float, seconds: float) -> None:
    assert plan(peak).delay_seconds == seconds


def test_the_hot_product_is_wanted_three_times_as_often_as_it_is_there() -> None:
    assert (plan(100).hot_units, plan(100).hot_orders) == (200, 600)
    assert (plan(5).hot_units, plan(5).hot_orders) == (10, 30)


def test_the_fault_is_switched_on_with_one_upgrade() -> None:
    assert fault_values(plan(100)) == {
        "faults.enabled": "true",
        "consumers.stock.faults.delayPerRecord": "30ms",
    }


def test_without_the_operator_the_same_upgrade_pauses_all_scalers() -> None:
    assert fault_values(plan(operator=Operator.OFF))["autoscaling.paused"] == "true"


def test_the_top_up_is_told_how_many_units_the_hot_product_has() -> None:
    words = top_up_command(top_up_of(hot_units=200))

    assert words[:3] == ("python3", "-m", "doorbuster.jobs.top_up")
    assert words[words.index("--hot-units") + 1] == "200"


def test_the_flash_sale_is_what_locust_reads_from_its_environment() -> None:
    rush = course_rush(plan(5), SUPPLIES)

    assert rush_from(rush.environment()) == rush
    assert rush.arrivals == FLASH_SALE.scaled(5)
    assert (rush.first_user, rush.users, rush.hot_product, rush.hot_wanted) == (1001, 500, 401, 30)
    assert rush.witness == Path("/out/demo/witness.jsonl")


def test_nobody_wants_the_hot_product_in_the_calibration() -> None:
    rush = calibration_rush(plan(5), SUPPLIES)

    assert (rush.course, rush.peak, rush.seconds, rush.hot_product) == (CourseName.STEADY, 5, 30, None)
    assert rush.witness == Path("/out/demo/calibration-witness.jsonl")


def test_a_run_knows_all_of_its_files() -> None:
    names = {path.name for path in Files(folder=Path("/out")).of_a_run()}

    assert names >= {"summary.json", "timeline.csv", "timeline.png", "witness.jsonl", "calibration-witness.jsonl"}


@pytest.mark.parametrize(
    ("seconds", "phase"),
    [(0, Phase.RAMP), (149.9, Phase.RAMP), (150, Phase.PEAK), (269.9, Phase.PEAK), (270, Phase.FADE),
     (299.9, Phase.FADE), (300, Phase.QUIET)],
)  # fmt: skip
def test_the_course_says_which_phase_it_is(seconds: float, phase: Phase) -> None:
    assert phase_of(FLASH_SALE, seconds) is phase
