from collections import Counter

from doorbuster.infra.outbox.partition_turns import PartitionTurns


def test_all_messages_of_a_batch_for_a_topic_have_one_partition() -> None:
    turns = PartitionTurns()
    turns.learn({"a": (0, 1, 2), "b": (0, 1)})

    assert len({turns.partition("a") for _ in range(5)}) == 1
    assert len({turns.partition("b") for _ in range(5)}) == 1


def test_every_partition_has_its_turn_equally_often() -> None:
    turns = PartitionTurns()
    turns.learn({"a": (0, 1, 2)})
    seen = Counter[int | None]()
    for _ in range(30):
        turns.next_batch()
        seen[turns.partition("a")] += 1

    assert seen == {0: 10, 1: 10, 2: 10}


def test_partitions_that_are_learned_of_later_have_their_turn() -> None:
    turns = PartitionTurns()
    turns.learn({"a": (0,)})
    turns.learn({"a": (0, 1)})
    seen = set()
    for _ in range(2):
        turns.next_batch()
        seen.add(turns.partition("a"))

    assert seen == {0, 1}


def test_a_topic_that_is_not_known_or_has_no_leader_is_left_to_the_key() -> None:
    turns = PartitionTurns()
    turns.learn({"leaderless": ()})

    assert turns.partition("unknown") is None
    assert turns.partition("leaderless") is None
