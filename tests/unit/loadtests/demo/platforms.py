"""A platform that stands for the cluster, and a generator that stands for locust."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from doorbuster_cluster.errors import ClusterError
from loadtests.demo.plan import Supplies

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


@dataclass
class FakePlatform:
    """Notes what is done to it.

    Attributes:
        fails: which method raises what.
        pending: what `unfinished` answers or raises, one after the other; then nothing is.
        on: what happens while a method works.
    """

    fails: dict[str, BaseException] = field(default_factory=dict)
    pending: list[int | Exception] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    values: Mapping[str, str] = field(default_factory=dict)
    topped_up: int = 0
    on: dict[str, Callable[[], object]] = field(default_factory=dict)

    def check(self) -> None:
        self._do("check")

    def restless(self) -> Sequence[str]:
        self._do("restless")
        return []

    def at_work(self) -> Sequence[str]:
        self._do("at_work")
        return []

    def top_up(self, *, hot_units: int) -> Supplies:
        self._do(f"top_up {hot_units}")
        self.topped_up += 1
        hot = 401 if hot_units else None
        return Supplies(
            first_user=1000 * self.topped_up + 1,
            users=10,
            first_product=3,
            products=5,
            hot_product=hot,
            hot_units=hot_units,
        )

    def slow_down(self, values: Mapping[str, str]) -> None:
        self.values = values
        self._do("slow_down")

    def restore(self) -> None:
        self._do("restore")

    def unfinished(self, supplies: Supplies) -> tuple[int, int]:
        assert supplies.users == 10
        self._do("unfinished")
        found = self.pending.pop(0) if self.pending else 0
        if isinstance(found, Exception):
            raise found
        return found, 0

    def oversold(self) -> int:
        self._do("oversold")
        return 0

    def negative_points(self) -> int:
        self._do("negative_points")
        return 0

    def misbooked(self) -> int:
        self._do("misbooked")
        return 0

    def _do(self, what: str) -> None:
        self.done.append(what)
        self.on.get(what, lambda: None)()
        if (problem := self.fails.get(what)) is not None:
            raise problem


def refused(what: str = "helm refuses") -> ClusterError:
    """Return an error as the cluster's package raises it."""
    return ClusterError(what, hint="make up")
