import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from rich.console import Console

from doorbuster_cluster.progress import Progress
from loadtests.demo import watching
from loadtests.demo.observation import Look
from loadtests.demo.showing import Shown, view_of
from loadtests.demo.watching import Seen, Watch
from loadtests.reports.timeline import Phase, TimelineWriter, read_timeline
from loadtests.shapes.stages import steady
from loadtests.witness import Attempt, Outcome, WitnessTail, WitnessWriter
from tests.integration.polling import seconds_until
from tests.unit.loadtests.demo.test_plan import plan
from tests.unit.loadtests.rig.clusters import deployment, scaler

LOOK = Look(figures={"lag": 3.0, "pending": 2.0, "paid": 10.0}, deployment=deployment(), scaler=scaler())


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "LOOK_SECONDS", 0.1)


@dataclass
class World:
    """What a watch sees, and what it shows."""

    look: Look = LOOK
    broken: bool = False
    shown: list[Seen] = field(default_factory=list)

    def answer(self) -> Look:
        if self.broken:
            raise RuntimeError("a look that breaks")
        return self.look

    def wait_for_look(self) -> Seen:
        count = len(self.shown)
        seconds_until(lambda: len(self.shown) > count, within_seconds=20, what="a look")
        return self.shown[-1]


@contextmanager
def watch_of(world: World, timeline: Path) -> Iterator[Watch]:
    with (
        TimelineWriter(timeline) as writer,
        Watch(world.answer, timeline=writer, show=world.shown.append) as watch,
    ):
        yield watch


def test_every_look_is_in_the_timeline_at_once(tmp_path: Path) -> None:
    world = World()
    with watch_of(world, tmp_path / "timeline.csv") as watch:
        watch.enter(Phase.FAULT, "rolled out")
        seen = world.wait_for_look()

        written = read_timeline(tmp_path / "timeline.csv")
    assert len(written) >= 1
    assert written[0].lag == 3
    assert seen.moments[-1].replicas == 1


def test_what_the_run_says_is_the_phase_and_the_note(tmp_path: Path) -> None:
    world = World()
    with watch_of(world, tmp_path / "timeline.csv") as watch:
        watch.enter(Phase.QUIET, "the last answers")
        seen = watch.seen()

    assert (seen.phase, seen.note) == (Phase.QUIET, "the last answers")


def test_a_followed_load_is_counted_and_its_course_says_the_phase(tmp_path: Path) -> None:
    world = World()
    with WitnessWriter(tmp_path / "witness.jsonl") as witness, watch_of(world, tmp_path / "timeline.csv") as watch:
        world.wait_for_look()
        world.look = Look(figures={"paid": 14.0}, deployment=None, scaler=None)
        watch.follow(WitnessTail(tmp_path / "witness.jsonl"), steady(5, 600), began=time.time() - 1, calibration=False)
        witness.write(
            Attempt(at=1, key="a", user_id=1, product_id=3, outcome=Outcome.OK, order_id="x", status=202, seconds=0.1)
        )
        seen = world.wait_for_look()

    assert (seen.phase, seen.offered, seen.accepted, seen.paid) == (Phase.PEAK, 1, 1, 4)
    assert seen.moments[-1].scheduled_per_s == 5
    assert seen.moments[-1].offered_per_s is not None
    # What was read before stays what is known of the operator.
    assert seen.scaler == scaler()


def test_after_the_course_the_run_says_the_phase_again(tmp_path: Path) -> None:
    world = World()
    with watch_of(world, tmp_path / "timeline.csv") as watch:
        watch.follow(WitnessTail(tmp_path / "none.jsonl"), steady(5, 600), began=time.time(), calibration=True)
        during = watch.seen().phase
        watch.enter(Phase.QUIET)
        world.wait_for_look()
        after = world.wait_for_look()

    assert (during, after.phase) == (Phase.CALIBRATION, Phase.QUIET)
    assert after.moments[-1].scheduled_per_s is None


def test_a_look_that_breaks_does_not_end_the_looking(tmp_path: Path) -> None:
    world = World(broken=True)
    with watch_of(world, tmp_path / "timeline.csv") as watch:
        seconds_until(lambda: watch.broken != [], within_seconds=20, what="a look that breaks")
        world.broken = False
        world.wait_for_look()

    assert "a look that breaks" in watch.broken[0]


def test_the_page_shows_what_was_seen_last(tmp_path: Path) -> None:
    world = World()
    with watch_of(world, tmp_path / "timeline.csv"):
        view = view_of(plan(), world.wait_for_look())

    assert (view.reason, view.message, view.orders.pending) == ("ScaleOut", "why", 2)
    assert view.total_seconds > plan().course.seconds


def test_without_a_terminal_there_is_a_line_now_and_then(tmp_path: Path) -> None:
    world, text = World(), io.StringIO()
    show = Shown(plan(), progress=Progress(Console(file=text, width=200)), live=None)
    with watch_of(world, tmp_path / "timeline.csv") as watch:
        watch.enter(Phase.PEAK)
        world.wait_for_look()
        seen = watch.seen()

    late = Seen(**{name: getattr(seen, name) for name in Seen.__slots__} | {"elapsed_seconds": 60.0})
    show(late)
    show(late)
    assert text.getvalue().count("peak") == 1
