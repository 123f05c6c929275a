"""The real locust, as a process of its own, against a small shop that misbehaves."""

import csv
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import pytest

from doorbuster_cluster.settings import REPOSITORY
from loadtests.arrivals import arrivals_path, read_arrivals
from loadtests.checks.listing import list_orders
from loadtests.checks.orders import judge
from loadtests.config import CourseName, Rush
from loadtests.scenarios.choices import choices
from loadtests.witness import Attempt, Outcome, read_witness
from tests.integration.polling import seconds_until
from tests.unit.loadtests.shop_server import Manner, Shop, shop

# The course takes two seconds; the rest is Python's start on a busy machine.
WITHIN_SECONDS = 60
ORDERS = 40


@pytest.fixture
def rush(tmp_path: Path) -> Rush:
    return Rush(
        base_url="http://127.0.0.1:1",
        first_user=100,
        users=5,
        first_product=200,
        products=3,
        hot_product=300,
        hot_orders=4,
        course=CourseName.STEADY,
        peak=20,
        seconds=2,
        witness=tmp_path / "run" / "orders.jsonl",
        timeout_seconds=20,
        # A machine that is busy with other tests starts greenlets late, and nobody waits for it here.
        latest_start_seconds=10,
    )


def locust(environment: dict[str, str], *options: str, before: Sequence[str] = ()) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*before, sys.executable, "-m", "locust", "-f", "loadtests/locustfile.py", "--headless", *options],
        cwd=REPOSITORY,
        env={"PATH": os.environ["PATH"], **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def run(rush: Rush, *options: str) -> tuple[int, str]:
    with locust(rush.environment(), *options) as process:
        said, _ = process.communicate(timeout=WITHIN_SECONDS)
    return process.returncode, said


@contextmanager
def running(rush: Rush) -> Iterator[subprocess.Popen[str]]:
    with locust(rush.environment()) as process:
        try:
            yield process
        finally:
            process.kill()


def manner_of(number: int, tried: int) -> Manner:
    """Most orders are accepted at once; each tenth shows another trouble."""
    troubles = {
        3: (Manner.LATER, Manner.LATER, Manner.ACCEPT),
        5: (Manner.ACCEPT_AND_DROP, Manner.ACCEPT),
        6: (Manner.REFUSE,),
        7: (Manner.DROP, Manner.DROP, Manner.DROP),
        8: (Manner.ACCEPT_AND_DROP, Manner.DROP, Manner.LATER),
    }
    return troubles.get(number % 10, (Manner.ACCEPT,))[tried]


def in_order(attempts: list[Attempt]) -> list[Attempt]:
    """The first try of each order, in the order in which they began."""
    first: dict[str, Attempt] = {}
    for attempt in sorted(attempts, key=lambda attempt: attempt.at):
        first.setdefault(attempt.key, attempt)
    return list(first.values())


def tries_by_key(shop: Shop) -> Counter[tuple[str, int, int]]:
    return Counter((seen.key, seen.user_id, seen.product_id) for seen in shop.seen)


async def test_the_witness_says_what_the_shop_saw_and_the_arrivals_follow_the_course(
    rush: Rush, tmp_path: Path
) -> None:
    with shop(manner_of) as opened:
        rush = rush.model_copy(update={"base_url": opened.url})
        code, said = run(rush, "--csv", str(tmp_path / "locust"))
        attempts = list(read_witness(rush.witness))
        orders_by_user = await list_orders(opened.url, range(100, 105))

    assert code == 0, said
    assert Counter((a.key, a.user_id, a.product_id) for a in attempts) == tries_by_key(opened)
    assert {a.key: a.order_id for a in attempts if a.outcome is Outcome.OK}.items() <= opened.order_ids.items()
    arrivals = read_arrivals(arrivals_path(rush.witness))
    assert (arrivals.scheduled, arrivals.begun, arrivals.finished) == (ORDERS, ORDERS, True)
    assert (arrivals.too_late, arrivals.no_room, arrivals.cut_off) == (0, 0, 0)
    follow_the_course(in_order(attempts), rush, started_at=arrivals.started_at, late=arrivals.latest_seconds)
    judged = judge(attempts, orders_by_user)
    assert (judged.offered, judged.sold_out, judged.unknown, judged.accepted) == (ORDERS, 4, 8, ORDERS - 12)
    assert (judged.paid, judged.surfaced, judged.lost, judged.doubled) == (ORDERS - 12, 4, (), ())
    reported = {row["Name"]: int(row["Request Count"]) for row in rows(tmp_path / "locust_stats.csv")}
    assert reported["/api/v1/orders"] == ORDERS
    assert reported["/api/v1/orders (repeated)"] == len(attempts) - ORDERS


def follow_the_course(first_tries: list[Attempt], rush: Rush, *, started_at: float, late: float) -> None:
    wanted = [(choice.user_id, choice.product_id) for choice in choices(rush)]
    assert Counter((a.user_id, a.product_id) for a in first_tries) == Counter(wanted)
    moments = rush.arrivals.arrival_times()
    behind = [a.at - started_at - moment for moment, a in zip(moments, first_tries, strict=True)]
    # Never early, and no later than the generator says itself; the clock is read a moment before or after.
    assert min(behind) > -0.1
    assert median(behind) < late + 0.1


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_course_leaves_a_witness_of_everything_that_was_begun(rush: Rush, number: int) -> None:
    with shop(lambda number, _tried: Manner.HOLD if number % 2 else Manner.ACCEPT) as opened:
        rush = rush.model_copy(update={"base_url": opened.url, "seconds": WITHIN_SECONDS})
        with running(rush) as process:
            seconds_until(lambda: len(opened.seen) >= 5, within_seconds=WITHIN_SECONDS, what="five orders")
            process.send_signal(number)
            process.communicate(timeout=WITHIN_SECONDS)
        attempts = list(read_witness(rush.witness))

    arrivals = read_arrivals(arrivals_path(rush.witness))
    assert (process.returncode, arrivals.finished) == (2, False)
    unknown = {attempt.key for attempt in attempts if attempt.outcome is Outcome.UNKNOWN}
    assert (arrivals.begun, arrivals.cut_off) == (len(attempts), len(unknown))
    assert {seen.key for seen in opened.seen} <= {attempt.key for attempt in attempts}
    assert set() < {seen.key for seen in opened.seen if seen.manner is Manner.HOLD} <= unknown


# Begins a rush as `make demo` does, and waits.
PARENT = (
    "import os, subprocess, sys; subprocess.run(sys.argv[1:], env={**os.environ, 'LOADTEST_PARENT': str(os.getpid())})"
)


def test_a_rush_ends_with_the_process_that_began_it(rush: Rush) -> None:
    with shop() as opened:
        rush = rush.model_copy(update={"base_url": opened.url, "seconds": 10 * WITHIN_SECONDS})
        with locust(rush.environment(), before=(sys.executable, "-c", PARENT)) as parent:
            seconds_until(lambda: len(opened.seen) >= 5, within_seconds=WITHIN_SECONDS, what="five orders")
            parent.kill()
            # Ends when nobody can write to it any more, so when locust has ended, too.
            said, _ = parent.communicate(timeout=WITHIN_SECONDS)
        attempts = list(read_witness(rush.witness))

    assert "parent_gone" in said
    arrivals = read_arrivals(arrivals_path(rush.witness))
    assert (arrivals.finished, arrivals.begun) == (False, len({attempt.key for attempt in attempts}))


def test_a_shop_that_never_answers_does_not_hold_back_the_arrivals(rush: Rush) -> None:
    with shop(lambda _number, _tried: Manner.HOLD) as opened:
        changes = {"most_in_flight": 5, "latest_start_seconds": 0.5, "timeout_seconds": 0.5, "seconds": 1}
        rush = rush.model_copy(update={"base_url": opened.url, **changes})
        code, said = run(rush)

    arrivals = read_arrivals(arrivals_path(rush.witness))
    assert code == 0, said
    # Each waits and pauses for more than two seconds, so that in the course's one second five find room.
    assert arrivals.begun == 5
    assert arrivals.begun + arrivals.no_room + arrivals.too_late == arrivals.scheduled == 20
    attempts = list(read_witness(rush.witness))
    assert Counter(a.key for a in attempts) == dict.fromkeys({a.key for a in attempts}, 3)
    assert {(a.outcome, a.status) for a in attempts} == {(Outcome.UNKNOWN, None)}


def test_without_tokens_the_course_is_not_begun(rush: Rush) -> None:
    code, said = run(rush)

    assert code == 2
    assert "5 of 5 shoppers got no token" in said
    assert list(read_witness(rush.witness)) == []


def test_an_environment_that_describes_no_rush_is_explained(rush: Rush) -> None:
    with locust({**rush.environment(), "LOADTEST_USERS": "0", "LOADTEST_HOTPRODUCT": "7"}) as process:
        said, _ = process.communicate(timeout=WITHIN_SECONDS)

    assert process.returncode == 2
    assert "LOADTEST_USERS: Input should be greater than or equal to 1" in said
    assert "LOADTEST_HOTPRODUCT: Extra inputs are not permitted" in said


def test_what_nobody_expected_ends_the_run_too(rush: Rush, tmp_path: Path) -> None:
    code, said = run(rush.model_copy(update={"witness": tmp_path}))

    assert (code, said.count("load_broken")) == (2, 1)
    assert "IsADirectoryError" in said
