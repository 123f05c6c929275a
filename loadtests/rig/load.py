"""The load: locust as a process of its own, on the host and with less right to the CPU than the platform (P20)."""

import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from doorbuster_cluster.settings import REPOSITORY
from loadtests.arrivals import Arrivals, arrivals_path, read_arrivals
from loadtests.config import PREFIX, Journeys, LoadPlan, Rush
from loadtests.rig.errors import LoadFailed
from loadtests.rig.waiting import LOOK_SECONDS
from loadtests.witness import Attempt, CallKind, calls_path, read_calls, read_witness

LOCUSTFILE = REPOSITORY / "loadtests" / "locustfile.py"
# On two cores the platform comes first; that the load was offered all the same is one of the verdict's checks.
NICENESS = 10
# Tokens for all shoppers, before the first request.
LOGIN_SECONDS = 120.0
# Answers that come late, after the last order.
LAST_ANSWERS_SECONDS = 90.0
END_SECONDS = 15.0
SHOWN_LINES = 10


def locust_command(locustfile: Path = LOCUSTFILE, *, csv: Path | None = None) -> list[str]:
    """Return the command line; what it offers stands in the environment.

    Args:
        locustfile: what is run.
        csv: what the names of locust's own files begin with; None means that it writes none.
    """
    return [
        "nice", "-n", str(NICENESS), sys.executable, "-m", "locust",
        "--locustfile", str(locustfile), "--headless", "--only-summary",
        *(() if csv is None else ("--csv", str(csv))),
    ]  # fmt: skip


def locust_environment(rush: LoadPlan, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of locust: this process's own, with this load and no other."""
    kept = {name: value for name, value in environment.items() if not name.startswith((PREFIX, "LOCUST_"))}
    return {**kept, **rush.environment(), "PYTHONPATH": str(REPOSITORY), "PYTHONUNBUFFERED": "1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """A load that is offered.

    Attributes:
        rush: what is offered.
        log: what locust prints.
    """

    rush: LoadPlan
    log: Path
    process: subprocess.Popen[bytes]

    def arrivals(self) -> Arrivals | None:
        """Return what became of the arrivals so far; None before the first."""
        with suppress(FileNotFoundError):
            return read_arrivals(arrivals_path(self.rush.witness))
        return None

    def begin(self, *, within_seconds: float = LOGIN_SECONDS) -> float:
        """Return when the first request was sent, in seconds since 1970, as soon as it was.

        Raises:
            LoadFailed: locust ended, or didn't begin in time.
        """
        until = time.monotonic() + within_seconds
        while time.monotonic() < until:
            if (found := self.arrivals()) is not None:
                return found.started_at
            if self.process.poll() is not None:
                raise self._failure(f"ended with {self.process.returncode} before the first order")
            time.sleep(LOOK_SECONDS / 4)
        raise self._failure(f"sent no order within {within_seconds:.0f} s")

    def wait_for_last_order(self, began: float) -> None:
        """Return when the course is over; answers may still come.

        Args:
            began: when the first order was sent, in seconds since 1970.
        """
        rest = began + (self.rush.course_seconds or 0.0) - time.time()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=max(0.0, rest))

    def finish(self, *, within_seconds: float = LAST_ANSWERS_SECONDS) -> Arrivals:
        """Return what became of the arrivals, as soon as locust has ended.

        Raises:
            LoadFailed: it didn't end in time, the course wasn't carried out, or the witness lacks an order.
        """
        try:
            status = self.process.wait(timeout=within_seconds)
        except subprocess.TimeoutExpired:
            raise self._failure(f"didn't end within {within_seconds:.0f} s after the last order") from None
        found = self.arrivals()
        if status != 0 or found is None or not found.finished:
            raise self._failure(f"ended with {status}, and the course wasn't carried out")
        # An order without a line could be lost without anybody noticing.
        told = told_of(self.rush)
        if told != found.begun:
            raise self._failure(f"began {found.begun:,} orders, and the witness tells of {told:,}")
        return found

    def _failure(self, what: str) -> LoadFailed:
        lines = self.log.read_text(errors="replace").splitlines()[-SHOWN_LINES:]
        shown = "\n".join(f"  {line}" for line in lines)
        return LoadFailed(f"locust {what}:\n{shown}", hint=f"{self.log} holds all that it printed")


def told_of(plan: LoadPlan) -> int:
    """Return how many of those that were begun the witness tells of."""
    if isinstance(plan, Rush):
        return len({attempt.key for attempt in read_witness(plan.witness)})
    calls = list(read_calls(calls_path(plan.witness)))
    if isinstance(plan, Journeys):
        # A journey begins with its charge.
        return len({call.key for call in calls if call.kind is CallKind.CHARGE})
    return len({call.key for call in calls} | {attempt.key for attempt in read_witness(plan.witness)})


def last_arrival(attempts: Iterable[Attempt]) -> float:
    """Return when the last order was sent for the first time, in seconds since 1970; now when there is none.

    A repeat under the same key is no arrival: it would give the platform more time than there is.
    """
    first: dict[str, float] = {}
    for attempt in attempts:
        first[attempt.key] = min(attempt.at, first.get(attempt.key, attempt.at))
    return max(first.values(), default=time.time())


@contextmanager
def offered(rush: LoadPlan, log: Path, *, command: Sequence[str] | None = None) -> Iterator[Load]:
    """Offer the load while the block runs; locust has ended when the block has.

    Args:
        rush: what to offer.
        log: gets what locust prints, after what is there.
        command: the command line; None means the one of a flash sale.
    """
    for old in (rush.witness, calls_path(rush.witness), arrivals_path(rush.witness)):
        old.unlink(missing_ok=True)
    # Killed without a warning, we end nothing; it ends itself then.
    told = rush.model_copy(update={"parent": os.getpid()})
    with log.open("ab") as output:
        process = subprocess.Popen(
            command or locust_command(),
            env=locust_environment(told, os.environ),
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # Ctrl-C is for us: we end it, and it then writes what it knows.
            start_new_session=True,
        )
    with process:
        try:
            yield Load(rush=rush, log=log, process=process)
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(timeout=END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
