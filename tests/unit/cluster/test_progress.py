import io
from collections.abc import Iterator

import pytest
from rich.console import Console

from doorbuster_cluster.progress import Progress


class Clock:
    """A clock that moves only when it is told to."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def output() -> Iterator[io.StringIO]:
    with io.StringIO() as stream:
        yield stream


@pytest.fixture
def progress(clock: Clock, output: io.StringIO) -> Progress:
    return Progress(Console(file=output, width=200), clock)


def lines(output: io.StringIO) -> list[str]:
    return [line.rstrip() for line in output.getvalue().splitlines()]


def test_a_step_shows_when_it_ended_and_how_long_it_took(progress: Progress, clock: Clock, output: io.StringIO) -> None:
    clock.seconds += 2
    with progress.step("Cluster"):
        clock.seconds += 5.25

    assert lines(output) == ["  7.2 s ✓ Cluster  5.2 s"]


def test_a_failed_step_says_so_and_lets_the_error_through(
    progress: Progress, clock: Clock, output: io.StringIO
) -> None:
    def fail() -> None:
        with progress.step("Images"):
            clock.seconds += 61
            raise RuntimeError("no disk")

    with pytest.raises(RuntimeError, match="no disk"):
        fail()

    assert lines(output) == ["1:01 min ✗ Images  failed after 1:01 min"]


def test_a_step_with_nothing_to_do_is_cached(progress: Progress, output: io.StringIO) -> None:
    progress.cached("Programs")

    assert lines(output) == ["  0.0 s · Programs  cached"]


def test_a_note_is_one_plain_line(progress: Progress, output: io.StringIO) -> None:
    progress.note("the log is at /var/log/x")

    assert lines(output) == ["  0.0 s - the log is at /var/log/x"]


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.04, "0.0 s"), (59.94, "59.9 s"), (60, "1:00 min"), (119.6, "2:00 min"), (3725, "62:05 min")],
)
def test_durations_read_well(progress: Progress, clock: Clock, output: io.StringIO, seconds: float, shown: str) -> None:
    with progress.step("Step"):
        clock.seconds += seconds

    assert lines(output)[0].endswith(f"✓ Step  {shown}")
