"""Whole runs, against a platform, a generator and an API that stand for the real ones."""

import io
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

from rich.console import Console

from doorbuster_cluster.progress import Progress
from loadtests.checks.issues import IssueStatus, SeenIssue
from loadtests.checks.orders import ListedOrder, OrderStatus
from loadtests.reports.limits import Check
from loadtests.reports.scenario_summary import ScenarioSummary, read_scenario_summary
from loadtests.rig.interrupts import Interrupts
from loadtests.trials import caching
from loadtests.trials.catalogue import Name
from loadtests.trials.plan import Plan
from loadtests.trials.run import rehearse
from loadtests.witness import read_witness
from tests.unit.loadtests.trials.grounds import FakeGround


class Stage:
    """Where runs take place; what they printed and wrote.

    Attributes:
        forgotten: orders that no list holds.
        poor: users who have a point less than they should.
        gone: issues that nobody knows any more.
        before: everybody's points before they charged any.
        orders: of each user.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.printed = io.StringIO()
        self.ground = FakeGround()
        self.forgotten: set[str] = set()
        self.poor: set[int] = set()
        self.gone: set[str] = set()
        self.before, self.orders = 1, 5

    def run(self, name: Name, *, iterations: int = 5) -> int:
        plan = Plan(name=name, folder=self.folder, base_url="http://127.0.0.1:1", iterations=iterations)
        if name is Name.S5:
            self.before, self.orders = caching.HIGHEST_PRICE * iterations, iterations
        console = Console(file=self.printed, width=200)
        interrupts = Interrupts(console.print)
        with interrupts.watched():
            return rehearse(plan, self.ground, console, progress=Progress(console), interrupts=interrupts)

    @property
    def summary(self) -> ScenarioSummary:
        return read_scenario_summary(self.folder / "summary.json")

    def check(self, name: str) -> Check:
        return next(check for check in self.summary.checks if check.name == name)

    async def list_orders(
        self, _base_url: str, users: Iterable[int], *, since: datetime | None, within_seconds: float
    ) -> dict[int, tuple[ListedOrder, ...]]:
        assert within_seconds > 0
        orders: dict[int, list[ListedOrder]] = {user: [] for user in users}
        witnesses = [path for path in self.folder.glob("witness*.jsonl") if ".calls." not in path.name]
        # The sides of a comparison have the same users here; each is judged before the next one begins.
        for witness in sorted(witnesses, key=lambda path: path.stat().st_mtime)[-1:]:
            for attempt in read_witness(witness):
                order_id = attempt.order_id or ""
                if order_id not in self.forgotten and attempt.user_id in orders:
                    orders[attempt.user_id].append(
                        ListedOrder(order_id=order_id, status=OrderStatus.PAID, units=attempt.wanted, to_pay=10)
                    )
        return {user: tuple(found) for user, found in orders.items()}

    async def balances_of(self, _base_url: str, users: Iterable[int]) -> dict[int, int]:
        # 100,000 charged; each order costs ten points.
        return {user: self.before + 100_000 - 10 * self.orders - (user in self.poor) for user in users}

    async def issues_seen(
        self, _base_url: str, told: Mapping[int, str], *, issued_within_seconds: float
    ) -> dict[int, SeenIssue]:
        assert issued_within_seconds > 0
        return {
            user: SeenIssue(issue_id=issue_id, coupon_id=7, status=IssueStatus.ISSUED)
            for user, issue_id in told.items()
            if issue_id not in self.gone
        }

    async def issues_wanted(self, _base_url: str, users: Iterable[int], *, coupon: int) -> dict[int, str]:
        assert (coupon, list(users)) == (7, [])
        return {}
