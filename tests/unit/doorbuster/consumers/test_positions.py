from hypothesis import given
from hypothesis import strategies as st

from doorbuster.consumers.positions import Held, Positions
from doorbuster.infra.kafka.record_source import Partition
from doorbuster.infra.kafka.records import Record

FIRST = Partition("order-created", 0)
SECOND = Partition("order-created", 1)


def record(offset: int, partition: Partition = FIRST) -> Record:
    return Record(topic=partition.topic, partition=partition.number, offset=offset, key=None, value=b"", timestamp_ms=0)


def held(positions: Positions, *offsets: int, partition: Partition = FIRST) -> list[Held]:
    found = [positions.hold(record(offset, partition)) for offset in offsets]
    return [each for each in found if each is not None]


def positions_of(*partitions: Partition) -> Positions:
    positions = Positions()
    positions.assign(partitions)
    return positions


def test_what_is_finished_is_to_be_sent_up_to_the_next_offset_to_read() -> None:
    positions = positions_of(FIRST, SECOND)
    positions.finish([*held(positions, 4, 5), *held(positions, 9, partition=SECOND)])

    assert positions.to_send() == {FIRST: 6, SECOND: 10}


def test_a_record_behind_an_unfinished_one_is_not_committed() -> None:
    positions = positions_of(FIRST)
    first, second, third = held(positions, 1, 2, 3)
    positions.finish([first, third])

    assert positions.to_send() == {FIRST: 2}
    positions.finish([second])
    assert positions.to_send() == {FIRST: 4}


def test_gaps_of_a_compacted_log_stop_nothing() -> None:
    positions = positions_of(FIRST)
    positions.finish(held(positions, 1, 7, 20))

    assert positions.to_send() == {FIRST: 21}


def test_records_of_an_assignment_that_is_over_are_not_ours_any_more() -> None:
    positions = positions_of(FIRST, SECOND)
    batch = [*held(positions, 1), *held(positions, 1, partition=SECOND)]
    positions.give_up([FIRST])
    positions.assign([FIRST])

    assert positions.still_ours(batch) == batch[1:]


def test_finishing_a_batch_of_an_assignment_that_is_over_commits_nothing() -> None:
    positions = positions_of(FIRST)
    batch = held(positions, 100, 101)
    positions.give_up([FIRST])
    positions.assign([FIRST])
    held(positions, 50)

    positions.finish(batch)

    assert positions.to_send() == {}


def test_a_record_of_a_partition_that_is_not_ours_is_not_held() -> None:
    assert positions_of(FIRST).hold(record(1, SECOND)) is None


def test_a_commit_under_way_is_not_sent_twice_but_confirmed_once_more_on_the_way_out() -> None:
    positions = positions_of(FIRST)
    positions.finish(held(positions, 1))
    positions.sent({FIRST: 2})

    assert positions.to_send() == {}
    assert positions.to_confirm([FIRST]) == {FIRST: 2}


def test_an_acknowledged_commit_needs_nothing_more() -> None:
    positions = positions_of(FIRST)
    positions.finish(held(positions, 1))
    positions.sent({FIRST: 2})
    positions.acknowledged({FIRST: 2})

    assert positions.to_confirm([FIRST, SECOND]) == {}


def test_a_refused_commit_is_sent_again() -> None:
    positions = positions_of(FIRST)
    positions.finish(held(positions, 1))
    positions.sent({FIRST: 2})
    positions.refused({FIRST: 2})

    assert positions.to_send() == {FIRST: 2}


def test_the_answer_to_an_old_assignments_commit_says_nothing_about_the_new_one() -> None:
    positions = positions_of(FIRST)
    positions.finish(held(positions, 9))
    positions.sent({FIRST: 10})
    positions.give_up([FIRST])
    positions.assign([FIRST])
    positions.acknowledged({FIRST: 10})
    positions.finish(held(positions, 4))

    assert positions.to_confirm([FIRST]) == {FIRST: 5}


@given(st.permutations(range(8)), st.integers(0, 8))
def test_in_whatever_order_records_finish_the_commit_never_passes_one_that_is_not(order: list[int], count: int) -> None:
    positions = positions_of(FIRST)
    batch = held(positions, *range(8))
    positions.finish([batch[at] for at in order[:count]])

    prefix = next((offset for offset in range(8) if offset not in order[:count]), 8)
    assert positions.to_send() == ({FIRST: prefix} if prefix else {})
