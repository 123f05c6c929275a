from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.errors import WitnessDamaged
from loadtests.witness import (
    Attempt,
    Call,
    CallKind,
    Outcome,
    WitnessTail,
    WitnessWriter,
    calls_path,
    read_calls,
    read_witness,
)


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


def test_a_cart_is_read_back_with_its_units(tmp_path: Path) -> None:
    cart = replace(attempt(1), units={7: 2, 8: 1})
    with WitnessWriter(tmp_path / "orders.jsonl") as witness:
        witness.write(cart)
        witness.write(attempt(2))

    found = list(read_witness(tmp_path / "orders.jsonl"))
    assert found == [cart, attempt(2)]
    assert [each.wanted for each in found] == [{7: 2, 8: 1}, {attempt(2).product_id: 1}]


def test_calls_are_read_back_and_a_cut_line_is_skipped(tmp_path: Path) -> None:
    path = calls_path(tmp_path / "orders.jsonl")
    call = Call(
        at=1.5, kind=CallKind.ISSUE, key="k", user_id=1, about=7, outcome=Outcome.OK, found_id="i", status=202,
        seconds=0.1,
    )  # fmt: skip
    with WitnessWriter(path) as writer:
        writer.write(call)
    with path.open("a") as file:
        file.write('{"at": 2')

    assert path.name == "orders.calls.jsonl"
    assert list(read_calls(path)) == [call]


def test_a_whole_line_that_is_no_call_is_named(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    path.write_text('{"kind": "dance"}\n')

    with pytest.raises(WitnessDamaged, match="line 1"):
        list(read_calls(path))
