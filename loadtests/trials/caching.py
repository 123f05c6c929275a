"""`s5`: 100 users look at products and order them, first without caches and then with them (document E)."""

from collections.abc import Mapping
from enum import StrEnum

from loadtests.checks.charges import judge_charges
from loadtests.checks.orders import judge, paid_points
from loadtests.config import Readers
from loadtests.reports.measurements import Measurement
from loadtests.rig.supplies import TopUp
from loadtests.trials import limits
from loadtests.trials.plan import ITERATIONS
from loadtests.trials.steps import LOCUSTFILES, Trial, check, note, offer, orders_of, points_of, rest, settle, top_up
from loadtests.witness import CallKind, calls_path, read_calls, read_witness

USERS = 100
PRODUCTS = 400
CHARGE = 100_000
# No product costs more.
HIGHEST_PRICE = 10_000
CACHES_OFF: Mapping[str, str] = {"cache.process": "false", "cache.redis": "false"}
# A shopper of a hundred, on two cores: so long an iteration may take at most, look and order together.
ITERATION_SECONDS = 6.0
LEAST_SECONDS = 600.0


class Side(StrEnum):
    """What the caches are."""

    OFF = "off"
    ON = "on"


def carry_out(trial: Trial) -> None:
    """Carry both sides out, the caches being back in place for the second.

    Raises:
        ClusterError: a step failed.
        LoadTestError: the same, in a part that knows no cluster.
    """
    trial.quiet_seconds = patience_seconds(trial.plan.iterations)
    trial.found.settings |= {"users": USERS, "iterations": trial.plan.iterations, "products": PRODUCTS}
    check(trial)
    with trial.progress.step("caches off: each read of a product goes to the database"):
        trial.changed = True
        trial.ground.change(CACHES_OFF)
    rest(trial)
    reads_off = _side(trial, Side.OFF)
    with trial.progress.step("caches on, as `make up` left them"):
        trial.ground.restore()
        trial.changed = False
    rest(trial)
    reads_on = _side(trial, Side.ON)
    trial.found.checks.append(limits.caching_gain(reads_off, reads_on))
    trial.found.remarks.append(
        "On each side every user charges points once, then all look at products, then all order them, without a pause:"
        " each of the two steps is measured by itself."
    )
    if trial.plan.iterations != ITERATIONS:
        trial.found.remarks.append(f"{trial.plan.iterations:,} iterations in place of {ITERATIONS:,}.")


def patience_seconds(iterations: int) -> float:
    """Return how long a side may take, and how long the platform may then work on its orders."""
    return max(LEAST_SECONDS, iterations * ITERATION_SECONDS)


def _side(trial: Trial, side: Side) -> Measurement:
    iterations = trial.plan.iterations
    # If all of them wanted the same product, there would be enough of it.
    wanted = TopUp(
        users=USERS, points=HIGHEST_PRICE * iterations, products=PRODUCTS, units=max(100_000, USERS * iterations)
    )
    supplies = top_up(trial, wanted)
    plan = Readers(
        base_url=trial.plan.base_url,
        first_user=supplies.first_user,
        users=supplies.users,
        first_product=supplies.first_product,
        products=supplies.products,
        iterations=iterations,
        charge=CHARGE,
        seed=trial.plan.seed,
        witness=trial.plan.witness(side),
    )
    offer(trial, plan, locustfile=LOCUSTFILES / "readers.py", part=side, patience_seconds=patience_seconds(iterations))
    attempts = list(read_witness(plan.witness))
    calls = list(read_calls(calls_path(plan.witness)))
    reads = note(trial, f"reads, caches {side}", [call for call in calls if call.kind is CallKind.READ])
    orders = note(trial, f"orders, caches {side}", attempts)
    settle(trial, f"caches {side}")
    lists = orders_of(trial, plan.shoppers)
    charges = judge_charges(
        (call for call in calls if call.kind is CallKind.CHARGE),
        points_of(trial, plan.shoppers),
        before=wanted.points,
        paid=paid_points(lists),
    )
    trial.found.checks += limits.caching_side(
        side, reads, orders, judged=judge(attempts, lists), charges=charges, users=plan.users
    )
    return reads
