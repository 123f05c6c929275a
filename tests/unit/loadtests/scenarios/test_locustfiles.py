"""Every load as the real locust carries it out, against a small shop: all processes at once, for they mostly start."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from doorbuster_cluster.settings import REPOSITORY
from loadtests.arrivals import Arrivals, arrivals_path, read_arrivals
from loadtests.checks.charges import judge_charges
from loadtests.checks.issues import judge_issues, told_ids, unsettled_users
from loadtests.checks.listing import list_orders
from loadtests.checks.orders import judge, paid_points
from loadtests.checks.own import balances_of, issues_seen
from loadtests.config import CouponRush, CourseName, Journeys, LoadPlan, Readers, Rush
from loadtests.rig.load import told_of
from loadtests.witness import Attempt, Call, CallKind, Outcome, calls_path, read_calls, read_witness
from tests.integration.polling import seconds_until
from tests.unit.loadtests.shop_server import Manner, Shop, shop

# The loads take two seconds; the rest is the start of four Pythons on a busy machine.
WITHIN_SECONDS = 120
FILES = REPOSITORY / "loadtests"


@dataclass(frozen=True)
class Done:
    """A load that was carried out."""

    plan: LoadPlan
    opened: Shop
    code: int
    said: str

    @property
    def arrivals(self) -> Arrivals:
        return read_arrivals(arrivals_path(self.plan.witness))

    @property
    def attempts(self) -> list[Attempt]:
        return list(read_witness(self.plan.witness))

    @property
    def calls(self) -> list[Call]:
        return list(read_calls(calls_path(self.plan.witness)))


def manner_of(number: int, tried: int) -> Manner:
    """Each seventh order is accepted, but its first answer is lost."""
    return Manner.ACCEPT_AND_DROP if number % 7 == 0 and tried == 0 else Manner.ACCEPT


def plans(folder: Path, url: str) -> dict[str, tuple[Path, LoadPlan]]:
    def common(name: str, users: int) -> dict[str, object]:
        witness = folder / name / "witness.jsonl"
        return {"base_url": url, "first_user": 100, "users": users, "witness": witness, "timeout_seconds": 20}

    def plan(kind: type[LoadPlan], name: str, users: int, **values: object) -> LoadPlan:
        return kind.model_validate({**common(name, users), **values})

    # A machine that is busy with other tests starts greenlets late, and nobody waits for it here.
    late = {"latest_start_seconds": 10}
    goods = {"first_product": 200, "products": 3}
    return {
        "rush": (
            FILES / "locustfile.py",
            plan(
                Rush, "rush", 100, **goods, **late, course=CourseName.STEADY, peak=20, seconds=2, coupon=7,
                coupon_orders=8, checkouts=4,
            ),
        ),
        "journeys": (
            FILES / "locustfiles" / "journeys.py",
            plan(Journeys, "journeys", 10, **goods, **late, charge=100, peak=20, seconds=2),
        ),
        "coupons": (
            FILES / "locustfiles" / "coupon_rush.py",
            plan(
                CouponRush, "coupons", 20, coupon=7, visitors=10, rise_seconds=0.5, hold_seconds=1, fall_seconds=0.5,
                think_seconds=0.05,
            ),
        ),
        "readers": (
            FILES / "locustfiles" / "readers.py",
            plan(Readers, "readers", 4, **goods, iterations=5, charge=100),
        ),
    }  # fmt: skip


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Done]]:
    folder = tmp_path_factory.mktemp("loads")
    with ExitStack() as stack:
        running = {}
        for name in plans(folder, "http://shop"):
            opened = stack.enter_context(shop(manner_of, coupons=12, slow_issues=2))
            locustfile, plan = plans(folder, opened.url)[name]
            running[name] = plan, opened, stack.enter_context(locust(locustfile, plan))
        found = {}
        for name, (plan, opened, process) in running.items():
            said, _ = process.communicate(timeout=WITHIN_SECONDS)
            found[name] = Done(plan=plan, opened=opened, code=process.returncode, said=said)
        yield found


def locust(locustfile: Path, plan: LoadPlan) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "locust", "-f", str(locustfile), "--headless", "--only-summary"],
        cwd=REPOSITORY,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY), **plan.environment()},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.parametrize("name", ["rush", "journeys", "coupons", "readers"])
def test_a_load_is_carried_out_and_its_witness_tells_of_all_that_was_begun(done: dict[str, Done], name: str) -> None:
    load = done[name]

    assert load.code == 0, load.said
    assert (load.arrivals.finished, load.arrivals.cut_off) == (True, 0)
    assert told_of(load.plan) == load.arrivals.begun == load.arrivals.scheduled > 0


async def test_a_rush_redeems_coupons_and_checks_whole_carts_out(done: dict[str, Done]) -> None:
    load = done["rush"]
    orders = await list_orders(load.opened.url, load.plan.shoppers)
    judged = judge(load.attempts, orders)

    assert (judged.offered, judged.accepted, judged.lost, judged.doubled) == (40, 40, (), ())
    coupons = {seen.key: seen.user_id for seen in load.opened.seen if seen.coupon_id == 7}
    assert len(coupons) == len(set(coupons.values())) == 8
    assert set(coupons.values()) == load.opened.issues.keys()
    carts = [attempt for attempt in load.attempts if attempt.units is not None and attempt.outcome is Outcome.OK]
    assert [attempt.wanted for attempt in carts] == [{999: 2, attempt.product_id: 1} for attempt in carts]
    assert len(carts) == 4


async def test_a_journey_is_a_charge_and_then_one_order_for_each_product(done: dict[str, Done]) -> None:
    load = done["journeys"]
    orders = await list_orders(load.opened.url, load.plan.shoppers)
    balances = await balances_of(load.opened.url, load.plan.shoppers)
    judged = judge(load.attempts, orders)
    charges = judge_charges(load.calls, balances, before=1, paid=paid_points(orders))

    assert (judged.accepted, judged.lost, judged.doubled) == (30, (), ())
    assert (charges.accepted, charges.lost, charges.doubled) == (10, (), ())
    charged = {call.user_id: call.at + call.seconds for call in load.calls}
    assert all(attempt.at >= charged[attempt.user_id] for attempt in load.attempts)
    wanted = Counter((attempt.user_id, attempt.product_id) for attempt in load.attempts if attempt.order_id)
    assert wanted == {(user, product): 1 for user in range(100, 110) for product in (200, 201, 202)}


async def test_a_crowd_asks_in_everybodys_name_before_anybody_asks_twice(done: dict[str, Done]) -> None:
    load = done["coupons"]
    calls = load.calls
    told = told_ids(calls)
    seen = await issues_seen(load.opened.url, told, issued_within_seconds=20)
    judged = judge_issues(calls, seen, coupon=7, total=12, counted=len(load.opened.issues))

    assert (judged.users, judged.holders, judged.over_issued, judged.miscounted) == (20, 12, 0, 0)
    assert (judged.duplicated, judged.lost, judged.not_issued, unsettled_users(calls)) == ((), (), 0, set())
    begun = [call.user_id for call in sorted(calls, key=lambda call: call.at)]
    # Two that begin at the same moment may be written in another order.
    assert len(set(begun[:15])) >= 14
    assert Counter(call.outcome for call in calls)[Outcome.SOLD_OUT] > 0


def test_readers_charge_then_look_then_order(done: dict[str, Done]) -> None:
    load = done["readers"]
    charges, looks = ([call for call in load.calls if call.kind is kind] for kind in (CallKind.CHARGE, CallKind.READ))

    assert (len(charges), len(looks), len({attempt.key for attempt in load.attempts})) == (4, 20, 20)
    assert max(call.at + call.seconds for call in charges) <= min(call.at for call in looks) + 0.01
    assert max(call.at + call.seconds for call in looks) <= min(attempt.at for attempt in load.attempts) + 0.01
    bought = {attempt.key: attempt.product_id for attempt in load.attempts}
    assert Counter(load.opened.looks) == Counter(call.about for call in looks) == Counter(bought.values())


def test_an_interrupted_crowd_leaves_a_witness_of_everything_that_was_begun(tmp_path: Path) -> None:
    with shop(coupons=1000) as opened:
        locustfile, plan = plans(tmp_path, opened.url)["coupons"]
        plan = plan.model_copy(update={"hold_seconds": 10.0 * WITHIN_SECONDS})
        with locust(locustfile, plan) as process:
            seconds_until(lambda: len(opened.issues) >= 5, within_seconds=WITHIN_SECONDS, what="five coupons")
            process.send_signal(signal.SIGTERM)
            said, _ = process.communicate(timeout=WITHIN_SECONDS)

    arrivals = read_arrivals(arrivals_path(plan.witness))
    assert (process.returncode, arrivals.finished) == (2, False), said
    assert told_of(plan) == arrivals.begun > 0
