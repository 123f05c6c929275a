from dataclasses import replace
from pathlib import Path

import pytest

from loadtests.reports.errors import NotATimeline
from loadtests.reports.timeline import COLUMNS, Moment, Phase, TimelineWriter, clock, read_timeline, write_timeline
from tests.unit.loadtests.reports.runs import MOMENTS_ON

WHOLE = Moment(
    seconds=12.25,
    phase=Phase.PEAK,
    scheduled_per_s=100.0,
    offered_per_s=99.5,
    accepted_per_s=99.0,
    paid_per_s=33.125,
    failed_per_s=0.0,
    pending=1_240,
    lag=0,
    oldest_age_s=8.5,
    replicas=4,
    ready=3,
    desired=5,
    reason="ScaleOut",
    note='said "no, thanks",\nthen left',
)
BARE = Moment(seconds=0.0, phase=Phase.PREPARATION)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "out" / "timeline.csv"

    write_timeline(path, [BARE, WHOLE])

    assert read_timeline(path) == (BARE, WHOLE)


@pytest.mark.parametrize(
    ("note", "read"),
    [
        ("a\rb", "a\nb"),
        ("a\r\nb", "a\nb"),
        ("a\u2028b\x0bc\x85", "a\u2028b\x0bc\x85"),
        ('"', '"'),
        ("\n", "\n"),
        ("ü", "ü"),
    ],
)
def test_a_note_may_hold_any_characters(tmp_path: Path, note: str, read: str) -> None:
    path = tmp_path / "timeline.csv"

    write_timeline(path, [replace(WHOLE, note=note), BARE])

    assert read_timeline(path) == (replace(WHOLE, note=read), BARE)


def test_unknown_stays_unknown_and_zero_stays_zero(tmp_path: Path) -> None:
    path = tmp_path / "timeline.csv"

    write_timeline(path, [replace(BARE, lag=0, offered_per_s=None)])

    (found,) = read_timeline(path)
    assert (found.lag, found.offered_per_s, found.pending, found.note) == (0, None, None, None)


def test_the_file_begins_with_the_names_of_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "timeline.csv"

    write_timeline(path, [])

    assert path.read_text() == ",".join(COLUMNS) + "\n"
    assert read_timeline(path) == ()


def test_each_moment_is_in_the_file_at_once(tmp_path: Path) -> None:
    path = tmp_path / "timeline.csv"

    with TimelineWriter(path) as timeline:
        timeline.add(BARE)
        assert read_timeline(path) == (BARE,)
        timeline.add(WHOLE)
        assert read_timeline(path) == (BARE, WHOLE)


def test_a_last_line_that_was_cut_off_anywhere_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "timeline.csv"
    write_timeline(path, [BARE])
    first = len(path.read_bytes())
    write_timeline(path, [BARE, replace(WHOLE, note="straße, then\nnothing")])
    whole = path.read_bytes()

    for length in range(first, len(whole)):
        path.write_bytes(whole[:length])
        assert read_timeline(path) == (BARE,), length


def test_a_file_without_the_columns_is_no_timeline(tmp_path: Path) -> None:
    path = tmp_path / "timeline.csv"
    for text in ("", "seconds,phase\n1,peak\n"):
        path.write_text(text)
        with pytest.raises(NotATimeline, match="columns of a timeline"):
            read_timeline(path)


@pytest.mark.parametrize("line", ["1.0,lunch" + "," * 13, "soon,peak" + "," * 13, "1.0,peak,,"])
def test_a_whole_line_that_makes_no_sense_is_refused(tmp_path: Path, line: str) -> None:
    path = tmp_path / "timeline.csv"
    path.write_text(",".join(COLUMNS) + f"\n{line}\n")

    with pytest.raises(NotATimeline, match="can't be understood"):
        read_timeline(path)


def test_a_whole_run_survives_the_file_up_to_a_thousandth(tmp_path: Path) -> None:
    path = tmp_path / "timeline.csv"

    write_timeline(path, MOMENTS_ON)

    found = read_timeline(path)
    assert len(found) == len(MOMENTS_ON)
    assert [each.lag for each in found] == [each.lag for each in MOMENTS_ON]
    assert [each.paid_per_s for each in found] == pytest.approx([each.paid_per_s for each in MOMENTS_ON], abs=0.001)


@pytest.mark.parametrize(("seconds", "shown"), [(0, "0:00"), (59.6, "1:00"), (187, "3:07"), (-1, "0:00")])
def test_a_time_is_shown_as_minutes_and_seconds(seconds: float, shown: str) -> None:
    assert clock(seconds) == shown
