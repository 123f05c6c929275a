"""What a record is taken for, and how poison is found among good messages."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from doorbuster.contracts.bodies import Body, StockReserved
from doorbuster.contracts.messages import Message, encode
from doorbuster.infra.batches.received import Received, distinct, isolate, receive, within_rows
from doorbuster.infra.kafka.records import Record
from doorbuster.kernel.errors import (
    DataRefused,
    DecisionFailed,
    NotAccepted,
    PoisonMessage,
    UndecodableMessage,
    UnknownMessage,
)
from doorbuster.kernel.ids import MessageId

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def record(number: int, value: bytes | None = None) -> Record:
    body = StockReserved(order_id=UUID(int=number))
    message = encode(Message(id=MessageId(UUID(int=1000 + number)), occurred_at=NOW, body=body))
    return Record(
        topic="stock-reserved",
        partition=1,
        offset=number,
        key=b"key",
        value=message if value is None else value,
        timestamp_ms=1,
    )


def batch_of(size: int, *, undecodable: Sequence[int] = ()) -> Sequence[Received]:
    return [receive(record(at, b"{" if at in undecodable else None)) for at in range(size)]


def test_a_good_record_is_a_body_under_its_messages_id() -> None:
    received = receive(record(7))
    assert received.claim == UUID(int=1007)
    assert received.outcome == StockReserved(order_id=UUID(int=7))


@pytest.mark.parametrize(
    ("value", "fact"),
    [
        (b"{", UndecodableMessage),
        (b"\xff\xfe", UndecodableMessage),
        (encode(Message(id=MessageId(UUID(int=1)), occurred_at=NOW, body=StockReserved(order_id=UUID(int=1)))).replace(
            b"stock.reserved", b"stock.returned"), UnknownMessage),
    ],
)  # fmt: skip
def test_a_record_that_cannot_be_read_says_why(value: bytes, fact: type[PoisonMessage]) -> None:
    assert isinstance(receive(record(1, value)).outcome, fact)


def test_a_tombstone_is_undecodable() -> None:
    assert isinstance(receive(replace(record(1), value=None)).outcome, UndecodableMessage)


def test_an_undecodable_record_is_known_again_when_it_comes_again() -> None:
    assert receive(record(1, b"{")).claim == receive(record(1, b"{")).claim


@pytest.mark.parametrize(
    "other",
    [
        replace(record(1, b"{"), offset=2),
        replace(record(1, b"{"), partition=2),
        replace(record(1, b"{"), topic="coupon-used"),
        replace(record(1, b"{"), timestamp_ms=2),
        record(1, b"["),
    ],
)
def test_undecodable_records_of_other_places_times_or_values_are_others(other: Record) -> None:
    assert receive(record(1, b"{")).claim != receive(other).claim


def test_the_first_of_two_with_one_id_is_kept() -> None:
    first, again, other = record(1), replace(record(1), offset=9), record(2)
    assert [each.record for each in distinct([receive(each) for each in (first, again, other)])] == [first, other]


def test_several_messages_are_halved_in_their_order() -> None:
    batch = batch_of(5)
    left, right = isolate(batch, DecisionFailed("one of them"))
    assert [*left, *right] == list(batch)
    assert len(left) == 2
    assert len(right) == 3


def test_a_single_message_becomes_the_dead_letter_and_its_neighbours_stay() -> None:
    batch = batch_of(3, undecodable=(0, 2))
    poison = DataRefused("too long")
    (condemned,) = isolate(batch, poison)
    assert condemned[1] == Received(record=batch[1].record, claim=batch[1].claim, outcome=poison)
    assert condemned[0] is batch[0]
    assert condemned[2] is batch[2]


def test_poison_without_a_message_to_blame_is_tried_again() -> None:
    with pytest.raises(NotAccepted):
        isolate(batch_of(2, undecodable=(0, 1)), DataRefused("the outbox refuses"))


@pytest.mark.parametrize("guilty", range(11))
def test_halving_finds_the_one_that_is_guilty(guilty: int) -> None:
    parts, tries = [batch_of(11, undecodable=(3,) if guilty != 3 else ())], 0
    done: list[Received] = []
    while parts:
        part = parts.pop()
        tries += 1
        if any(isinstance(each.outcome, Body) and each.record.offset == guilty for each in part):
            parts += reversed(isolate(part, DecisionFailed("guilty")))
        else:
            done += part
    assert [each.record.offset for each in done] == list(range(11))
    assert [each.record.offset for each in done if isinstance(each.outcome, DecisionFailed)] == [guilty]
    assert tries <= 10


@pytest.mark.parametrize(
    ("costs", "parts"),
    [
        ([], []),
        ([9, 9], [[0, 1]]),
        ([9, 9, 1], [[0, 1], [2]]),
        ([100], [[0]]),
        ([1, 100, 1, 1], [[0], [1], [2, 3]]),
        ([9, 10, 8, 9], [[0], [1, 2], [3]]),
    ],
)
def test_parts_hold_so_many_rows_and_one_message_at_least_in_order(
    costs: Sequence[int], parts: Sequence[Sequence[int]]
) -> None:
    batch = batch_of(len(costs))

    found = within_rows(batch, lambda body: costs[body.key.int], most=20)

    # Each costs one row more: its processed id.
    assert [[received.record.offset for received in part] for part in found] == parts


def test_an_undecodable_record_costs_a_dead_letter() -> None:
    found = within_rows(batch_of(5, undecodable=range(5)), lambda _: 100, most=6)

    assert [len(part) for part in found] == [2, 2, 1]
