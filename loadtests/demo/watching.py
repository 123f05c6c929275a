"""Looks at the platform every two seconds while a run goes on, and keeps what it saw."""

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from loadtests.demo.observation import Look, Pace, Told, decisions_of, moment_of
from loadtests.demo.plan import phase_of
from loadtests.errors import WitnessDamaged
from loadtests.reports.decisions import Decision
from loadtests.reports.timeline import Moment, Phase, TimelineWriter
from loadtests.rig.api_server import SCALERS, WORKLOADS, ApiServer, Json
from loadtests.rig.errors import QuestionFailed
from loadtests.rig.prometheus import WATCHED, ask
from loadtests.rig.standing import STOCK_DEPLOYMENT, STOCK_SCALER
from loadtests.rig.waiting import LOOK_SECONDS
from loadtests.shapes.stages import Course
from loadtests.witness import WitnessTail

# A look that hangs is over by then: it asks three times.
END_SECONDS = 10.0


class Eyes:
    """Asks everything that a look consists of; what gives no answer isn't known this time."""

    def __init__(self, api: ApiServer) -> None:
        """Take the API server; nothing is asked yet."""
        self._api = api

    def look(self) -> Look:
        """Return what is seen now."""
        figures: dict[str, float] = {}
        with suppress(QuestionFailed):
            figures = ask(self._api, WATCHED)
        return Look(
            figures=figures,
            deployment=self._object(WORKLOADS, "deployments", STOCK_DEPLOYMENT),
            scaler=self._object(SCALERS, "consumerscalers", STOCK_SCALER),
        )

    def _object(self, api: str, kind: str, name: str) -> Json | None:
        with suppress(QuestionFailed):
            return self._api.object(api, kind, name)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """All that was seen so far.

    Attributes:
        phase: what the run is doing.
        offered: orders sent in the load that was followed last.
        accepted: those of them that were accepted.
        sold_out: those of them that were told that nothing is left.
        paid: those that became PAID, about: a few may be counted twice, or not yet. None is not known.
        failed: the same of those that FAILED.
        scaler: the stock consumer's, as last read.
    """

    phase: Phase
    elapsed_seconds: float
    offered: int
    accepted: int
    sold_out: int
    paid: int | None
    failed: int | None
    moments: tuple[Moment, ...]
    decisions: tuple[Decision, ...]
    scaler: Json | None
    note: str | None


class Watch:
    """The looks of one run, in a thread of their own. A context manager: it ends with the block.

    Only this thread writes what was seen; others read it, and say what the run is doing.
    """

    def __init__(self, look: Callable[[], Look], *, timeline: TimelineWriter, show: Callable[[Seen], None]) -> None:
        """Begin the time: second 0 is now.

        Args:
            look: looks at the platform.
            timeline: gets every moment at once.
            show: shows what was seen to a person.
        """
        self.began_at = datetime.now(UTC)
        self._look, self._timeline, self._show = look, timeline, show
        self._began = time.monotonic()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self._phase, self._note = Phase.PREPARATION, ""
        self._by_course = False
        self._load: _Followed | None = None
        self._moments: list[Moment] = []
        self._decisions: dict[str, Decision] = {}
        self._scaler: Json | None = None
        self._figures: Mapping[str, float] = {}
        self._figures_before: Mapping[str, float] = {}
        self.broken: list[str] = []

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join(END_SECONDS)

    def enter(self, phase: Phase, note: str = "") -> None:
        """Say what the run is doing from now on, and what it waits for."""
        # In this order: a look in between must not say what the run did before its load.
        self._phase, self._note = phase, note
        self._by_course = False

    def follow(self, tail: WitnessTail, course: Course, *, began: float, calibration: bool) -> None:
        """Count the orders of a load, and let its course say which phase it is.

        Args:
            tail: reads its witness.
            course: what it follows.
            began: its first moment, in seconds since 1970.
            calibration: it is the calibration, whose phase is always the same.
        """
        self._load = _Followed(tail=tail, course=course, began=began, calibration=calibration)
        self._figures_before = self._figures
        self._by_course = True

    def seen(self) -> Seen:
        """Return all that was seen so far."""
        told = self._load.told if self._load else Told()
        return Seen(
            phase=self._phase_now(),
            elapsed_seconds=time.monotonic() - self._began,
            offered=told.offered,
            accepted=told.accepted,
            sold_out=told.sold_out,
            paid=self._grown("paid"),
            failed=self._grown("failed"),
            moments=tuple(self._moments),
            decisions=tuple(sorted(self._decisions.values(), key=lambda decision: decision.seconds)),
            scaler=self._scaler,
            note=self._note or None,
        )

    def _run(self) -> None:
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                self._once()
            except Exception as exc:  # noqa: BLE001  # one look that breaks must not end the looking
                self.broken.append(repr(exc))
            # Its end is the block's; a look that took long shortens the pause, and never doubles up.
            self._stopping.wait(max(0.1, began + LOOK_SECONDS - time.monotonic()))

    def _once(self) -> None:
        look = self._look()
        load = self._load
        pace = load.pace() if load else Pace()
        if not self._by_course:
            # Also a course that was cut short asks for nothing any more.
            pace = replace(pace, scheduled=None)
        seconds = time.monotonic() - self._began
        moment = moment_of(look, pace, seconds=seconds, phase=self._phase_now(), note=self._note or None)
        self._timeline.add(moment)
        self._moments.append(moment)
        # Made anew, because others may be reading the old ones.
        self._decisions = {**self._decisions, **decisions_of(look.scaler, began=self.began_at)}
        self._scaler = look.scaler or self._scaler
        self._figures = {**self._figures, **look.figures}
        self._show(self.seen())

    def _grown(self, name: str) -> int | None:
        now, before = self._figures.get(name), self._figures_before.get(name)
        return None if now is None or before is None else round(now - before)

    def _phase_now(self) -> Phase:
        return (self._load.phase() if self._load and self._by_course else None) or self._phase


class _Followed:
    """A load that is watched through its witness."""

    def __init__(self, *, tail: WitnessTail, course: Course, began: float, calibration: bool) -> None:
        self._tail, self._course, self._began, self._calibration = tail, course, began, calibration
        self._last = began
        self.told = Told()

    def pace(self) -> Pace:
        now = time.time()
        seconds = max(now - self._last, 0.001)
        try:
            offered, accepted = self.told.add(self._tail.new())
        except WitnessDamaged:
            # The verdict reads it again, and says so.
            return Pace(scheduled=self._course.rate_at(now - self._began))
        self._last = now
        return Pace(
            scheduled=self._course.rate_at(now - self._began), offered=offered / seconds, accepted=accepted / seconds
        )

    def phase(self) -> Phase | None:
        """Return the phase that the course says; None when it is over."""
        passed = time.time() - self._began
        if passed >= self._course.seconds:
            return None
        return Phase.CALIBRATION if self._calibration else phase_of(self._course, passed)
