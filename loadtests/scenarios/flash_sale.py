"""The flash sale: a course of shoppers who each order one unit, a few of them the hot product.

Locust brings the process, the report and the clean end. Its users think and wait in turn; ours come when the course
says, so one user is enough: it opens the door for all of them.
"""

import os
from collections.abc import Iterator
from functools import partial

import gevent
import structlog
from locust import User, task
from locust.env import Environment
from locust.exception import CatchResponseError, StopUser
from locust.runners import STATE_RUNNING, STATE_SPAWNING
from locust.stats import CSV_STATS_INTERVAL_SEC

from loadtests.arrivals import arrivals_path, write_arrivals
from loadtests.config import Rush, rush_from
from loadtests.errors import LoadTestError
from loadtests.scenarios.answers import LONGEST_PAUSE_SECONDS, MOST_TRIES
from loadtests.scenarios.choices import choices
from loadtests.scenarios.client import IngressClient
from loadtests.scenarios.opening import Act, Opening
from loadtests.scenarios.ordering import Checkout
from loadtests.scenarios.parent import end_with
from loadtests.scenarios.tokens import fetch_tokens
from loadtests.witness import Attempt, Outcome, WitnessWriter

CARRIED_OUT, NOT_CARRIED_OUT = 0, 2
# After an interrupt nobody waits for answers; the greenlets only need to write that they were cut off.
INTERRUPT_SECONDS = 1.0
REST_SECONDS = 0.1

log = structlog.get_logger()


class FlashSale(User):
    """Carries the course out once, and ends the run.

    The exit code says whether it was carried out, not how the shop did: that is judged from the witness.
    """

    fixed_count = 1

    @task
    def sell(self) -> None:
        """Carry out the rush that the environment describes."""
        self.environment.process_exit_code = NOT_CARRIED_OUT
        try:
            rush = rush_from(os.environ)
            if rush.parent is not None:
                gevent.spawn(end_with, rush.parent)
            with WitnessWriter(rush.witness) as witness:
                carry_out(rush, environment=self.environment, witness=witness)
            self.environment.process_exit_code = CARRIED_OUT
        except LoadTestError as exc:
            log.error("rush_not_carried_out", reason=str(exc))  # noqa: TRY400 - a sentence for a person, no trace
        except Exception:
            # Not raised: locust would note it and begin the rush once more.
            log.exception("rush_broken")
        finally:
            # From a greenlet that isn't a user's: quitting waits for the users to end.
            gevent.spawn(_quit, self.environment)
        raise StopUser


def _quit(environment: Environment) -> None:
    # Locust writes its files once in such a time and not at the end: the last answers would be missing.
    gevent.sleep(CSV_STATS_INTERVAL_SEC + REST_SECONDS)
    # After an interrupt it is quitting already, and that is why we are here.
    if environment.runner is not None and environment.runner.state in {STATE_SPAWNING, STATE_RUNNING}:
        environment.runner.quit()


def carry_out(rush: Rush, *, environment: Environment, witness: WitnessWriter) -> None:
    """Fetch the tokens, open the door, wait for the last answers.

    Raises:
        TokensUnavailable: the course was not begun.
    """
    client = IngressClient(rush.base_url, timeout_seconds=rush.timeout_seconds, connections=rush.most_in_flight)
    try:
        users = range(rush.first_user, rush.first_user + rush.users)
        tokens = fetch_tokens(client, users)
        report = partial(_report, environment=environment, witness=witness)
        _open(rush, Checkout(client, tokens=tokens, report=report))
    finally:
        client.close()


def _open(rush: Rush, checkout: Checkout) -> None:
    course, path = rush.arrivals, arrivals_path(rush.witness)
    opening = Opening(
        course.scheduled,
        most_in_flight=rush.most_in_flight,
        latest_start_seconds=rush.latest_start_seconds,
    )
    # At once: who watches the run learns when it began.
    write_arrivals(path, opening.arrivals)
    log.info("course_begun", scheduled=course.scheduled, seconds=course.seconds)
    patience = INTERRUPT_SECONDS
    try:
        opening.carry_out(_acts(rush, checkout))
        opening.finish()
        patience = MOST_TRIES * (rush.timeout_seconds + LONGEST_PAUSE_SECONDS)
    finally:
        opening.close(within_seconds=patience)
        write_arrivals(path, opening.arrivals)
    log.info("course_ended", begun=opening.arrivals.begun, scheduled=opening.arrivals.scheduled)


def _acts(rush: Rush, checkout: Checkout) -> Iterator[tuple[float, Act]]:
    for moment, choice in zip(rush.arrivals.arrival_times(), choices(rush), strict=True):
        yield moment, partial(checkout.order, choice)


def _report(name: str, attempt: Attempt, *, environment: Environment, witness: WitnessWriter) -> None:
    witness.write(attempt)
    answered = attempt.outcome in {Outcome.OK, Outcome.SOLD_OUT}
    refused = None if answered else CatchResponseError(f"{attempt.outcome} {attempt.status}")
    # Locust's event hooks have no types.
    environment.events.request.fire(  # type: ignore[no-untyped-call]
        request_type="POST",
        name=name,
        response_time=attempt.seconds * 1000,
        response_length=0,
        response=None,
        context={},
        exception=refused,
    )
