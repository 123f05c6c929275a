"""`s1`: each user charges points, and then orders products 1 to 5; measured at 50 requests a second (document A)."""

from loadtests.checks.charges import judge_charges
from loadtests.checks.orders import judge, paid_points
from loadtests.config import Journeys
from loadtests.rig.supplies import Supplies, TopUp
from loadtests.trials import limits
from loadtests.trials.steps import LOCUSTFILES, Trial, check, note, offer, orders_of, points_of, settle, top_up
from loadtests.witness import calls_path, read_calls, read_witness

REQUESTS_PER_S = 50.0
SECONDS = 60.0
CHARGE = 100_000
# The document's own: products 1 to 5, one unit of each.
FIRST_PRODUCT, PRODUCTS = 1, 5
UNITS = 100_000
# A user has an account because they have points; what counts is what they charge.
POINTS = 1


def carry_out(trial: Trial) -> None:
    """Carry the scenario out, and note what it measured.

    Raises:
        ClusterError: a step failed.
        LoadTestError: the same, in a part that knows no cluster.
    """
    check(trial)
    shoppers = round(REQUESTS_PER_S * SECONDS / (1 + PRODUCTS))
    wanted = TopUp(users=shoppers, points=POINTS, first_product=FIRST_PRODUCT, products=PRODUCTS, units=UNITS)
    supplies = top_up(trial, wanted)
    plan = journeys(trial, supplies)
    offered = offer(trial, plan, locustfile=LOCUSTFILES / "journeys.py")
    attempts = list(read_witness(plan.witness))
    calls = list(read_calls(calls_path(plan.witness)))
    trial.found.settings |= {"requests a second": REQUESTS_PER_S, "seconds": SECONDS, "users": plan.users}
    requests = note(trial, "charges and orders", [*calls, *attempts])
    note(trial, "charges", calls)
    note(trial, "orders", attempts)
    settle(trial)
    orders = orders_of(trial, plan.shoppers)
    charges = judge_charges(calls, points_of(trial, plan.shoppers), before=POINTS, paid=paid_points(orders))
    trial.found.checks += [limits.in_time(offered.arrivals), limits.offered(offered.arrivals)]
    scheduled = plan.arrivals.scheduled * plan.requests
    trial.found.checks += limits.points_and_orders(
        requests, scheduled=scheduled, orders=judge(attempts, orders), charges=charges
    )


def journeys(trial: Trial, supplies: Supplies) -> Journeys:
    """Return the load."""
    return Journeys(
        base_url=trial.plan.base_url,
        first_user=supplies.first_user,
        users=supplies.users,
        first_product=supplies.first_product,
        products=supplies.products,
        charge=CHARGE,
        peak=REQUESTS_PER_S,
        seconds=SECONDS,
        seed=trial.plan.seed,
        witness=trial.plan.witness(),
    )
