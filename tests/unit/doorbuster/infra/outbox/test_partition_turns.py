from collections import Counter

import pytest

from doorbuster.infra.outbox.partition_turns import PartitionTurns


@pytest.fixture
def turns() -> PartitionTurns:
    turns = PartitionTurns()
    turns.learn({"a": (0, 1, 2), "b": (0, 1)})
    return turns


def test_every_partition_has_its_turn_equally_often(turns: PartitionTurns) -> None:
    seen = Counter(turns.take(["a"])["a"] for _ in range(30))

    assert seen == {0: 10, 1: 10, 2: 10}


def test_a_topic_that_is_seldom_in_a_batch_goes_round_all_its_partitions_all_the_same(turns: PartitionTurns) -> None:
    seen = Counter[int]()
    for batch in range(30):
        found = turns.take(["a", "b"] if batch % 2 else ["a"])
        seen.update([found["b"]] if "b" in found else [])

    assert seen == {0: 8, 1: 7}


def test_a_topic_that_is_named_twice_has_one_turn(turns: PartitionTurns) -> None:
    turns.take(["a", "a"])

    assert turns.take(["a"]) == {"a": 1}


def test_partitions_that_are_learned_of_later_have_their_turn(turns: PartitionTurns) -> None:
    turns.learn({"b": (0, 1, 2, 3)})

    assert {turns.take(["b"])["b"] for _ in range(4)} == {0, 1, 2, 3}


def test_a_topic_that_is_not_known_or_has_no_leader_is_left_to_the_key(turns: PartitionTurns) -> None:
    turns.learn({"leaderless": ()})

    assert turns.take(["a", "leaderless"]) == {}
