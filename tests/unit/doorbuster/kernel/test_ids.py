import random
import uuid
from collections.abc import Iterator
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from doorbuster.kernel.ids import IdFactory


def factory(times: Iterator[int], seed: int = 1) -> IdFactory:
    return IdFactory(lambda: next(times), random.Random(seed).getrandbits)


def test_an_id_is_a_uuid_of_version_7_with_its_milliseconds_in_front() -> None:
    made = factory(iter([0x0123456789AB]))()

    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert made.int >> 80 == 0x0123456789AB


@given(st.lists(st.integers(min_value=1, max_value=50), min_size=2, max_size=200))
def test_ids_increase_also_when_the_clock_stands_or_jumps_back(times: list[int]) -> None:
    make = factory(iter(times))
    made = [make() for _ in times]

    assert all(earlier < later for earlier, later in pairwise(made))


def test_more_ids_than_the_counter_holds_in_one_millisecond_still_increase() -> None:
    make = IdFactory(lambda: 7, random.Random(1).getrandbits)
    made = [make() for _ in range(3 * 4096)]

    assert made == sorted(made)
    assert len(set(made)) == len(made)
    assert {value.version for value in made} == {7}


def test_two_processes_make_different_ids_in_the_same_millisecond() -> None:
    assert factory(iter([5]), seed=1)() != factory(iter([5]), seed=2)()
