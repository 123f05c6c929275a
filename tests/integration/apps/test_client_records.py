"""Clients' own records against the database while processes are killed: nothing lost, and a planted loss is found.

*Lost* is judged by the checker that the demonstration uses.
"""

import asyncio
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from doorbuster.audit.model import Invariant, Report
from doorbuster.bootstrap.audit import audit_once
from doorbuster.settings import Settings
from loadtests.scenarios.answers import Reading
from loadtests.witness import Outcome
from tests.integration.apps.books import Books
from tests.integration.apps.platform import Platform
from tests.integration.apps.test_saga import PRODUCT, start
from tests.integration.apps.witnessed_shoppers import Witnessed, attempt_of, shopping_witnessed

pytestmark = pytest.mark.integration

USERS = (1, 2, 3)
WAIT_SECONDS = 60
# Consumers first: Kafka waits 20 s for a sign of life before it gives their partitions to others.
CONSUMERS = ("stock", "coupon", "order-flow", "payment")


def test_kills_under_load_lose_and_double_nothing_and_a_planted_loss_is_found(
    platform: Platform, books: Books, settings: Settings, tmp_path: Path
) -> None:
    with shopping_witnessed(platform, USERS, product=PRODUCT, file=tmp_path / "orders.jsonl") as witnessed:
        witnessed.wait_for_more(20, within_seconds=WAIT_SECONDS)
        kill_and_start_again(platform, *CONSUMERS)
        kill_and_start_again(platform, "relay", "api")
        witnessed.wait_for_more(20, within_seconds=WAIT_SECONDS)
        kill_and_start_again(platform, "api")
        witnessed.wait_for_more(20, within_seconds=WAIT_SECONDS)
    books.until_quiet()

    judgement = witnessed.judged()
    assert (judgement.lost, judgement.doubled, judgement.pending) == ((), (), 0)
    assert judgement.accepted >= 60
    assert asyncio.run(audit_once(settings)).clean

    found_when_an_accepted_order_vanishes(witnessed, books, settings)
    found_when_an_answer_came_before_its_commit(witnessed, settings)


def found_when_an_accepted_order_vanishes(witnessed: Witnessed, books: Books, settings: Settings) -> None:
    """Delete an order with all that led to it; the buyer knows it, and so do its key and the participants."""
    lost = witnessed.accepted()[7]
    rows = {
        "orders": f"id = X'{UUID(lost).hex}'",
        "order_sagas": f"order_id = X'{UUID(lost).hex}'",
        "outbox": f"message_key = '{lost}'",
    }
    assert all(books.forget(table, where) for table, where in rows.items())

    assert witnessed.judged().lost == (lost,)
    report = asyncio.run(audit_once(settings))
    assert shown(report, Invariant.ORDERS) == {lost}
    assert report.counts[Invariant.KEYS] == 1


def found_when_an_answer_came_before_its_commit(witnessed: Witnessed, settings: Settings) -> None:
    """Write down an answer whose transaction never was: no table knows of it, only the buyer's record does."""
    before = witnessed.judged().lost
    known = asyncio.run(audit_once(settings)).counts
    never = str(uuid4())
    reading = Reading(outcome=Outcome.OK, status=202, order_id=never)
    witnessed.add(attempt_of(user=USERS[0], product=PRODUCT, key=str(uuid4()), reading=reading))

    assert set(witnessed.judged().lost) == {*before, never}
    assert asyncio.run(audit_once(settings)).counts == known


def shown(report: Report, invariant: Invariant) -> set[str]:
    return {breach.shown_id for breach in report.shown(invariant)}


def kill_and_start_again(platform: Platform, *names: str) -> None:
    """Have processes die at once, without a goodbye, and others take their place."""
    applications = [platform.applications[name] for name in names]
    for application in applications:
        application.kill()
    start(applications)
