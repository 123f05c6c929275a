from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import pytest
from confluent_kafka import OFFSET_BEGINNING, OFFSET_INVALID, Consumer, KafkaError, KafkaException, TopicPartition

from doorbuster.infra.kafka import positions
from doorbuster.infra.kafka.positions import committed_positions

MOVED = KafkaError(KafkaError.NOT_COORDINATOR)
GIVEN = [TopicPartition("t", 0), TopicPartition("t", 1)]


@dataclass
class Member:
    """Refuses with each of these errors, and then says what is committed."""

    refusals: list[KafkaError] = field(default_factory=list)
    offsets: Sequence[int] = (7, OFFSET_INVALID)
    asked: int = 0

    def committed(self, partitions: list[TopicPartition], timeout: float) -> list[TopicPartition]:
        assert partitions == GIVEN
        assert timeout > 0
        self.asked += 1
        if self.refusals:
            raise KafkaException(self.refusals.pop(0))
        return [
            TopicPartition(each.topic, each.partition, offset) for each, offset in zip(GIVEN, self.offsets, strict=True)
        ]


def begin(
    member: Member,
    noted: list[KafkaError],
    *,
    given: Sequence[TopicPartition] = GIVEN,
    patience_seconds: float = 60.0,
    given_up_after: int = 1000,
) -> list[tuple[int, int]] | None:
    """Return each partition and where to begin in it."""
    found = committed_positions(
        cast("Consumer", member),
        given,
        noted.append,
        give_up=lambda: len(noted) >= given_up_after,
        patience_seconds=patience_seconds,
    )
    return None if found is None else [(each.partition, each.offset) for each in found]


@pytest.fixture(autouse=True)
def without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(positions, "BETWEEN_SECONDS", 0.0)


def test_a_member_begins_at_what_is_committed_or_at_the_oldest() -> None:
    assert begin(Member(), []) == [(0, 7), (1, OFFSET_BEGINNING)]


def test_a_refusal_is_noted_and_the_question_repeated() -> None:
    noted: list[KafkaError] = []
    member = Member(refusals=[MOVED, KafkaError(KafkaError.COORDINATOR_LOAD_IN_PROGRESS)])

    assert begin(member, noted) == [(0, 7), (1, OFFSET_BEGINNING)]
    assert [error.code() for error in noted] == [KafkaError.NOT_COORDINATOR, KafkaError.COORDINATOR_LOAD_IN_PROGRESS]
    assert member.asked == 3


def test_without_an_answer_in_time_nothing_is_made_up() -> None:
    noted: list[KafkaError] = []

    assert begin(Member(refusals=[MOVED] * 10), noted, patience_seconds=-1.0) is None
    assert len(noted) == 1


def test_who_leaves_doesnt_wait_for_an_answer() -> None:
    member = Member(refusals=[MOVED] * 10)

    assert begin(member, [], given_up_after=2) is None
    assert member.asked == 2


def test_a_member_that_is_given_nothing_asks_nothing() -> None:
    member = Member()

    assert begin(member, [], given=[]) == []
    assert member.asked == 0
