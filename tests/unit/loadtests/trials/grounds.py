"""A platform that stands for the local cluster."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from loadtests.reports.audit import Audit
from loadtests.rig.supplies import Supplies, TopUp

NO_BREACH = Audit(
    verdict="no breach", seconds=1.5, breaches={"stock_adds_up": 0, "coupon_used_once": 0}, shown=(), in_flight={},
    looked_at={"orders": 10},
)  # fmt: skip
BREACH = Audit(
    verdict="breach", seconds=1.5, breaches={"stock_adds_up": 1}, shown=("stock_adds_up: product 7: sold twice",),
    in_flight={}, looked_at={"orders": 10},
)  # fmt: skip


@dataclass
class FakeGround:
    """Notes what is done to it.

    Attributes:
        fails: which method raises what.
        on: what happens while a method works.
        open: what `open_sagas` answers, one after the other; then nothing is.
        busy: what `at_work` answers, always.
    """

    fails: dict[str, BaseException] = field(default_factory=dict)
    on: dict[str, Callable[[], object]] = field(default_factory=dict)
    open: list[int] = field(default_factory=list)
    busy: Sequence[str] = ()
    lags: Sequence[tuple[float, float]] = ((1.0, 20.0), (6.0, 50.0))
    given_away: int = 500
    load_profile: bool = True
    load_profile_users: bool = True
    report: Audit = NO_BREACH
    done: list[str] = field(default_factory=list)
    values: list[Mapping[str, str]] = field(default_factory=list)
    wanted: list[TopUp] = field(default_factory=list)

    def check(self) -> None:
        self._do("check")

    def restless(self) -> Sequence[str]:
        self._do("restless")
        return []

    def at_work(self) -> Sequence[str]:
        self._do("at_work")
        return self.busy

    def top_up(self, wanted: TopUp) -> Supplies:
        self.wanted.append(wanted)
        self._do("top_up")
        return Supplies(
            first_user=1_000_001, users=wanted.users, first_product=wanted.first_product, products=wanted.products,
            hot_product=None, hot_units=0,
        )  # fmt: skip

    def change(self, values: Mapping[str, str]) -> None:
        self.values.append(values)
        self._do("change")

    def restore(self) -> None:
        self._do("restore")

    def open_sagas(self) -> int:
        self._do("open_sagas")
        return self.open.pop(0) if self.open else 0

    def make_coupon(self, *, total: int) -> int:
        self._do(f"coupon of {total}")
        return 7

    def issued(self, coupon: int) -> int:
        self._do(f"issued of {coupon}")
        return self.given_away

    def has_product(self, product_id: int) -> bool:
        self._do(f"product {product_id}")
        return self.load_profile

    def has_user(self, user_id: int) -> bool:
        self._do(f"user {user_id}")
        return self.load_profile_users

    def lag(self, *, begin: float, end: float) -> Sequence[tuple[float, float]]:
        assert begin <= end
        self._do("lag")
        return self.lags

    def audit(self) -> Audit:
        self._do("audit")
        return self.report

    def _do(self, what: str) -> None:
        self.done.append(what)
        self.on.get(what, lambda: None)()
        if (problem := self.fails.get(what)) is not None:
            raise problem
