"""What a scenario needs of the cluster."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from loadtests.reports.audit import Audit
from loadtests.rig.supplies import Supplies, TopUp


class Ground(Protocol):
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

    def open_sagas(self) -> int:
        """Return how many orders aren't final, or FAILED and not compensated."""
        ...

    def make_coupon(self, *, total: int) -> int:
        """Make a coupon that takes 10 % off, and return its id."""
        ...

    def issued(self, coupon: int) -> int:
        """Return how many of a coupon are given away, as the database counts."""
        ...

    def has_product(self, product_id: int) -> bool:
        """Return whether the shop has this product."""
        ...

    def has_user(self, user_id: int) -> bool:
        """Return whether this user has an account of points."""
        ...

    def lag(self, *, begin: float, end: float) -> Sequence[tuple[float, float]]:
        """Return the most lag of any consumer group at each moment, in seconds since 1970 and records."""
        ...

    def audit(self) -> Audit:
        """Return what the auditor says of everything there is."""
        ...
