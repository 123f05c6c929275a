"""Reads what became of every order of a run: the buyers' own lists, and what only the database knows."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from loadtests.checks.listing import list_orders
from loadtests.checks.orders import judge
from loadtests.demo.course import Run
from loadtests.demo.gathering import Lists
from loadtests.rig.supplies import Supplies
from loadtests.rig.waiting import answer_of
from loadtests.witness import Attempt

# A whole table is counted; a second Ctrl-C ends the kubectl that asks.
ASK_WITHIN_SECONDS = 60.0


def judge_orders(run: Run) -> None:
    """Find out what became of the orders of both loads; of the calibration's alone when the course was left out.

    Raises:
        OrdersUnreadable: a buyer's list can't be read.
        QuestionFailed: the database gives no answer.
    """
    found = run.found
    if found.calibration_supplies is not None:
        lists = _lists(run, found.calibration_supplies, found.calibration_attempts, of="the calibration's ")
        run.found = replace(run.found, calibration_lists=lists)
    if found.supplies is not None:
        run.found = replace(run.found, lists=_lists(run, found.supplies, found.attempts))
    with run.progress.step("ask the database for what was sold and what is left"):
        _ask_database(run, found.supplies)


def _lists(run: Run, supplies: Supplies, attempts: Sequence[Attempt], *, of: str = "") -> Lists:
    with run.progress.step(f"read the orders of {of}{supplies.users:,} buyers"):
        users = range(supplies.first_user, supplies.last_user + 1)
        orders = asyncio.run(list_orders(run.plan.base_url, users))
    return Lists(orders_by_user=orders, judgement=judge(attempts, orders))


def _ask_database(run: Run, supplies: Supplies | None) -> None:
    cluster = run.cluster
    oversold, negative, misbooked = (
        answer_of(question, within_seconds=ASK_WITHIN_SECONDS)
        for question in (cluster.oversold, cluster.negative_points, cluster.misbooked)
    )
    run.found = replace(run.found, oversold=oversold, negative_points=negative, misbooked=misbooked)
    if supplies is not None:
        _, uncompensated = answer_of(lambda: cluster.unfinished(supplies), within_seconds=ASK_WITHIN_SECONDS)
        run.found = replace(run.found, uncompensated=uncompensated)
