"""Generators that stand for locust, and an error as the cluster's package raises it."""

import sys

from doorbuster_cluster.errors import ClusterError

# Reads the rush as locust does, has every order accepted at once, and ends.
GENERATOR = """
import os, time
from loadtests.arrivals import Arrivals, arrivals_path, write_arrivals
from loadtests.config import rush_from
from loadtests.witness import Attempt, Outcome, WitnessWriter

rush = rush_from(os.environ)
now = time.time()
count = rush.arrivals.scheduled
with WitnessWriter(rush.witness) as witness:
    for number in range(count):
        hot = number < rush.hot_wanted
        witness.write(Attempt(
            at=now, key=f"key-{number}", user_id=rush.first_user + number % rush.users,
            product_id=rush.hot_product if hot else rush.first_product, outcome=Outcome.OK,
            order_id=f"order-{number}", status=202, seconds=0.01,
        ))
write_arrivals(
    arrivals_path(rush.witness), Arrivals(started_at=now, scheduled=count, begun=count, finished=True)
)
"""


# One order in fifteen comes too late; but the machine isn't asked for the course then.
TOO_SLOW = GENERATOR.replace("range(count)", "range(count - count // 15)").replace(
    "begun=count", "begun=count - count // 15"
)


def generator(script: str = GENERATOR) -> list[str]:
    """Return the command line of what stands for locust."""
    return [sys.executable, "-c", script]


def refused(what: str = "helm refuses") -> ClusterError:
    """Return an error as the cluster's package raises it."""
    return ClusterError(what, hint="make up")
