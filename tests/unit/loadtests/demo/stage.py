"""Whole runs, against a platform and a generator that stand for the real ones."""

import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rich.console import Console

from doorbuster_cluster.progress import Progress
from loadtests.checks.orders import ListedOrder, OrderStatus
from loadtests.demo.observation import Look
from loadtests.demo.plan import Plan
from loadtests.demo.run import Screen, demonstrate
from loadtests.reports.evidence import Operator
from loadtests.rig.interrupts import Interrupts
from loadtests.witness import read_witness
from tests.integration.polling import seconds_until
from tests.unit.loadtests.demo.platforms import FakePlatform
from tests.unit.loadtests.rig.clusters import deployment, scaler


class Stage:
    """Where runs take place; what they printed and wrote."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.printed = io.StringIO()
        self.platform = FakePlatform()
        self.looks = 0
        self.forgotten: set[str | None] = set()

    def run(self, operator: Operator = Operator.ON) -> int:
        plan = Plan(operator=operator, peak=5, folder=self.folder, base_url="http://127.0.0.1:1", seed=1)
        console = Console(file=self.printed, width=200)
        interrupts = Interrupts(console.print)
        with interrupts.watched():
            return demonstrate(
                plan, self.platform, self.look, interrupts=interrupts,
                show_on=Screen(console=console, progress=Progress(console)),
            )  # fmt: skip

    def look(self) -> Look:
        self.looks += 1
        return Look(figures={"lag": 1.0, "oldest_age": 2.0}, deployment=deployment(), scaler=scaler())

    def look_twice(self) -> None:
        """Return after a look that began now has been kept."""
        until = self.looks + 2
        seconds_until(lambda: self.looks >= until, within_seconds=20, what="two looks")

    def summary(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "summary.json").read_text())
        return found

    async def list_orders(self, _base_url: str, users: Iterable[int]) -> dict[int, tuple[ListedOrder, ...]]:
        """Return what the buyers of a load find in their lists: all that was accepted, but what was forgotten."""
        orders: dict[int, list[ListedOrder]] = {user: [] for user in users}
        witness = "calibration-witness.jsonl" if 1001 in orders else "witness.jsonl"
        for number, attempt in enumerate(read_witness(self.folder / witness)):
            if attempt.order_id in self.forgotten:
                continue
            failed = attempt.product_id == 401 and number >= 10
            orders[attempt.user_id].append(
                ListedOrder(
                    order_id=attempt.order_id or "",
                    status=OrderStatus.FAILED if failed else OrderStatus.PAID,
                    units={attempt.product_id: 1},
                    failure_reason="out-of-stock" if failed else None,
                )
            )
        return {user: tuple(found) for user, found in orders.items()}
