from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.errors import WitnessDamaged
from loadtests.witness import Attempt, Outcome, WitnessTail, WitnessWriter, read_witness


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "orders.jsonl"


def attempt(number: int, outcome: Outcome = Outcome.OK) -> Attempt:
    return Attempt(
        at=1_700_000_000.25 + number,
        key=f"key-{number}",
        user_id=number,
        product_id=7,
        outcome=outcome,
        order_id=f"order-{number}" if outcome is Outcome.OK else None,
        status=202 if outcome is Outcome.OK else None,
        seconds=0.0125,
    )


def write(path: Path, *attempts: Attempt) -> None:
    with WitnessWriter(path) as writer:
        for one in attempts:
            writer.write(one)


@given(
    at=st.floats(min_value=0, max_value=1e10),
    key=st.text(),
    outcome=st.sampled_from(Outcome),
    order_id=st.none() | st.text(),
)
def test_what_was_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, at: float, key: str, outcome: Outcome, order_id: str | None
) -> None:
    path = tmp_path_factory.mktemp("witness") / "orders.jsonl"
    written = Attempt(
        at=at, key=key, user_id=1, product_id=2, outcome=outcome, order_id=order_id, status=503, seconds=1.5
    )

    write(path, written)

    assert list(read_witness(path)) == [written]


def test_a_line_can_be_read_as_soon_as_it_was_written(path: Path) -> None:
    with WitnessWriter(path) as writer:
        writer.write(attempt(1, Outcome.UNKNOWN))

        assert list(read_witness(path)) == [attempt(1, Outcome.UNKNOWN)]


def test_a_second_writer_appends(path: Path) -> None:
    write(path, attempt(1))
    write(path, attempt(2))

    assert list(read_witness(path)) == [attempt(1), attempt(2)]


def test_a_cut_last_line_is_skipped(path: Path) -> None:
    write(path, attempt(1), attempt(2))
    path.write_bytes(path.read_bytes()[:-5])

    assert list(read_witness(path)) == [attempt(1)]


def test_a_cut_last_line_does_not_spoil_the_next_one(path: Path) -> None:
    write(path, attempt(1), attempt(2))
    path.write_bytes(path.read_bytes()[:-5])

    write(path, attempt(3))

    assert list(read_witness(path)) == [attempt(1), attempt(3)]


@pytest.mark.parametrize("line", ["no json", "[]", "{}", '{"outcome": "maybe"}', '{"outcome": "ok", "more": 1}'])
def test_a_whole_line_that_is_no_attempt_is_named(path: Path, line: str) -> None:
    write(path, attempt(1))
    path.write_text(path.read_text() + line + "\n")

    with pytest.raises(WitnessDamaged, match=r"line 2 of .*orders\.jsonl"):
        list(read_witness(path))


def test_a_witness_that_is_not_there_is_no_empty_one(path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(read_witness(path))


def test_a_tail_gives_each_attempt_once_and_waits_for_the_end_of_a_line(path: Path) -> None:
    tail = WitnessTail(path)
    assert tail.new() == []

    write(path, attempt(1), attempt(2))
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    assert tail.new() == [attempt(1)]

    path.write_bytes(whole)
    assert tail.new() == [attempt(2)]
    assert tail.new() == []
