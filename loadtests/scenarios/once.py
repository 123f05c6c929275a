"""A load that is carried out once: locust brings the process, the report and the clean end.

Locust's users think and wait in turn; ours come when the load says, so one user is enough: it opens the door for all.
"""

import os
from abc import abstractmethod
from typing import ClassVar

import gevent
import structlog
from locust import User, task
from locust.env import Environment
from locust.exception import CatchResponseError, StopUser
from locust.runners import STATE_RUNNING, STATE_SPAWNING
from locust.stats import CSV_STATS_INTERVAL_SEC

from loadtests.config import LoadPlan, load_from
from loadtests.errors import LoadTestError
from loadtests.scenarios.parent import end_with
from loadtests.witness import Attempt, Call, Outcome, WitnessWriter, calls_path

CARRIED_OUT, NOT_CARRIED_OUT = 0, 2
REST_SECONDS = 0.1

log = structlog.get_logger()


class Once(User):
    """Carries a load out once, and ends the run.

    The exit code says whether it was carried out, not how the shop did: that is judged from the witness.
    """

    abstract = True
    fixed_count = 1
    plan_kind: ClassVar[type[LoadPlan]]

    @task
    def run_once(self) -> None:
        """Carry out the load that the environment describes."""
        self.environment.process_exit_code = NOT_CARRIED_OUT
        try:
            plan = load_from(self.plan_kind, os.environ)
            if plan.parent is not None:
                gevent.spawn(end_with, plan.parent)
            self.carry_out(plan)
            self.environment.process_exit_code = CARRIED_OUT
        except LoadTestError as exc:
            log.error("load_not_carried_out", reason=str(exc))  # noqa: TRY400 - a sentence for a person, no trace
        except Exception:
            # Not raised: locust would note it and begin the load once more.
            log.exception("load_broken")
        finally:
            # From a greenlet that isn't a user's: quitting waits for the users to end.
            gevent.spawn(_quit, self.environment)
        raise StopUser

    @abstractmethod
    def carry_out(self, plan: LoadPlan) -> None:
        """Carry the load out, to the last answer.

        Raises:
            LoadTestError: it was not begun.
        """


class Reports:
    """Tells locust and the witness of every try. A context manager: its files are closed with it."""

    def __init__(self, plan: LoadPlan, environment: Environment) -> None:
        """Open the files."""
        self._orders = WitnessWriter(plan.witness)
        self._calls = WitnessWriter(calls_path(plan.witness))
        self._environment = environment

    def __enter__(self) -> "Reports":
        return self

    def __exit__(self, *_: object) -> None:
        self._orders.close()
        self._calls.close()

    def ordered(self, name: str, attempt: Attempt) -> None:
        """Note a try to order; the name is for locust's report."""
        self._orders.write(attempt)
        fire(self._environment, "POST", name, attempt)

    def called(self, method: str, name: str, call: Call) -> None:
        """Note a try of something else."""
        self._calls.write(call)
        fire(self._environment, method, name, call)


def fire(environment: Environment, method: str, name: str, tried: Attempt | Call) -> None:
    """Put a try into locust's report; that something is sold out is an answer as good as any."""
    answered = tried.outcome in {Outcome.OK, Outcome.SOLD_OUT}
    refused = None if answered else CatchResponseError(f"{tried.outcome} {tried.status}")
    # Locust's event hooks have no types.
    environment.events.request.fire(  # type: ignore[no-untyped-call]
        request_type=method,
        name=name,
        response_time=tried.seconds * 1000,
        response_length=0,
        response=None,
        context={},
        exception=refused,
    )


def _quit(environment: Environment) -> None:
    # Locust writes its files once in such a time and not at the end: the last answers would be missing.
    gevent.sleep(CSV_STATS_INTERVAL_SEC + REST_SECONDS)
    # After an interrupt it is quitting already, and that is why we are here.
    if environment.runner is not None and environment.runner.state in {STATE_SPAWNING, STATE_RUNNING}:
        environment.runner.quit()
