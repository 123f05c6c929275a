"""What a run is: its load, its fault, its files, and the command lines that follow from them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from loadtests.config import CourseName, Rush
from loadtests.reports.evidence import Operator
from loadtests.reports.timeline import Phase
from loadtests.rig.supplies import Supplies, TopUp
from loadtests.shapes.stages import FLASH_SALE, Course, steady

LOWEST_PEAK = 1.0
HIGHEST_PEAK = 1000.0
CALIBRATION_SECONDS = 30.0
# P20: one replica works off a third of the peak, as in the old system.
REPLICAS_AT_PEAK = 3
# P20: at a peak of 100 the hot product has 200 units and is wanted 600 times.
HOT_UNITS_BY_PEAK = 2.0
HOT_ORDERS_BY_PEAK = 6.0
USERS = 500
# At the highest peak a buyer orders about 400 times, for 5,000 points on average.
POINTS = 5_000_000
PRODUCTS = 400
UNITS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One run.

    Attributes:
        operator: `off` pauses all scalers while the load runs.
        peak: orders a second at the course's highest.
        folder: receives everything that the run writes.
        base_url: where the platform answers.
        seed: chooses who orders what; the same seed orders the same.
    """

    operator: Operator
    peak: float
    folder: Path
    base_url: str
    seed: int

    @property
    def course(self) -> Course:
        """The flash sale with this run's peak."""
        return FLASH_SALE.scaled(self.peak)

    @property
    def calibration(self) -> Course:
        """The peak without a fault: can this machine do it at all?"""
        return steady(self.peak, CALIBRATION_SECONDS)

    @property
    def delay_seconds(self) -> float:
        """How long the fault holds up each record, to the millisecond."""
        return round(1000 * REPLICAS_AT_PEAK / self.peak) / 1000

    @property
    def hot_units(self) -> int:
        """How many units there are of the hot product."""
        return max(1, round(HOT_UNITS_BY_PEAK * self.peak))

    @property
    def hot_orders(self) -> int:
        """How many orders of the course want the hot product."""
        return max(3, round(HOT_ORDERS_BY_PEAK * self.peak))

    @property
    def files(self) -> "Files":
        """Where everything is written."""
        return Files(folder=self.folder)


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """What a run leaves behind."""

    folder: Path

    @property
    def summary(self) -> Path:
        """Figures and verdict."""
        return self.folder / "summary.json"

    @property
    def timeline(self) -> Path:
        """What was seen every two seconds."""
        return self.folder / "timeline.csv"

    @property
    def picture(self) -> Path:
        """The timeline, drawn."""
        return self.folder / "timeline.png"

    @property
    def witness(self) -> Path:
        """What each buyer was told."""
        return self.folder / "witness.jsonl"

    @property
    def calibration_witness(self) -> Path:
        """The same for the calibration."""
        return self.folder / "calibration-witness.jsonl"

    @property
    def locust_log(self) -> Path:
        """What locust printed."""
        return self.folder / "locust.log"

    def of_a_run(self) -> tuple[Path, ...]:
        """Return all of them: a new run begins without those of the last one."""
        return (
            self.summary, self.timeline, self.picture, self.witness, self.calibration_witness, self.locust_log,
        )  # fmt: skip


def top_up_of(*, hot_units: int) -> TopUp:
    """Return what is made for one load; 0 units mean that there is no hot product."""
    return TopUp(users=USERS, points=POINTS, products=PRODUCTS, units=UNITS, hot_units=hot_units)


def fault_values(plan: Plan) -> Mapping[str, str]:
    """Return the values of chart `apps` that make stock slow (P19), and those that pause the scalers if wanted.

    One upgrade sets both, so there is no moment in which the operator sees the fault and isn't meant to.
    """
    values = {
        "faults.enabled": "true",
        "consumers.stock.faults.delayPerRecord": f"{round(plan.delay_seconds * 1000)}ms",
    }
    if plan.operator is Operator.OFF:
        values["autoscaling.paused"] = "true"
    return values


def calibration_rush(plan: Plan, supplies: Supplies) -> Rush:
    """Return the load of the calibration: nobody wants the hot product, so every order is to be paid."""
    return Rush(
        base_url=plan.base_url,
        first_user=supplies.first_user,
        users=supplies.users,
        first_product=supplies.first_product,
        products=supplies.products,
        seed=plan.seed,
        course=CourseName.STEADY,
        peak=plan.peak,
        seconds=plan.calibration.seconds,
        witness=plan.files.calibration_witness,
    )


def course_rush(plan: Plan, supplies: Supplies) -> Rush:
    """Return the load of the flash sale."""
    return Rush(
        base_url=plan.base_url,
        first_user=supplies.first_user,
        users=supplies.users,
        first_product=supplies.first_product,
        products=supplies.products,
        hot_product=supplies.hot_product,
        hot_orders=plan.hot_orders,
        seed=plan.seed,
        course=CourseName.FLASH_SALE,
        peak=plan.peak,
        witness=plan.files.witness,
    )


def phase_of(course: Course, seconds: float) -> Phase:
    """Return what a course is doing so many seconds after its beginning."""
    if seconds >= course.seconds:
        return Phase.QUIET
    began = 0.0
    for stage in course.stages:
        if seconds < began + stage.seconds:
            break
        began += stage.seconds
    if stage.start == stage.end:
        return Phase.PEAK
    return Phase.RAMP if stage.start < stage.end else Phase.FADE
