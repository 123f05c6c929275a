"""What a run needs of the cluster."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from loadtests.rig.supplies import Supplies, TopUp


class Platform(Protocol):
    """The platform under load. Every method may raise a ClusterError; QuestionFailed means that asking again helps."""

    def check(self) -> None:
        """Raise a RigError for what doesn't go away by waiting."""
        ...

    def restless(self) -> Sequence[str]:
        """Return what is still in the way of a run."""
        ...

    def at_work(self) -> Sequence[str]:
        """Return what somebody still works on."""
        ...

    def top_up(self, wanted: TopUp) -> Supplies:
        """Make what a load needs before it begins."""
        ...

    def change(self, values: Mapping[str, str]) -> None:
        """Change values of the applications, and return when everything is rolled out."""
        ...

    def restore(self) -> None:
        """Bring the applications' release back to what `make up` installed."""
        ...

    def unfinished(self, supplies: Supplies) -> tuple[int, int]:
        """Return how many orders of the buyers aren't final, and how many FAILED aren't compensated."""
        ...

    def oversold(self) -> int:
        """Return how many units were sold beyond what was supplied, over all products."""
        ...

    def negative_points(self) -> int:
        """Return how many users have less than nothing."""
        ...

    def misbooked(self) -> int:
        """Return how many products, orders and balances don't fit what was paid; only at rest they all do."""
        ...
