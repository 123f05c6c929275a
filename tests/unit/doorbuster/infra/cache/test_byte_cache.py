import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from doorbuster.infra.cache.byte_cache import OVERHEAD_BYTES, ByteCache, Kept
from doorbuster.infra.cache.entries import Entry
from tests.unit.doorbuster.infra.cache.fake_cache import Clock


def entry(size: int = 10, *, version: int = 1) -> Entry:
    return Entry(version=version, body=b"x" * size)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_what_is_kept_is_there_until_its_end(clock: Clock) -> None:
    cache = ByteCache(clock)
    cache.put(1, entry(), until=clock() + 1)

    clock.pass_by(0.99)
    assert cache.get(1) == Kept(entry=entry(), until=clock() + 0.01)
    clock.pass_by(0.01)
    assert cache.get(1) is None
    assert len(cache) == 0


def test_that_nothing_is_there_can_be_kept_too(clock: Clock) -> None:
    cache = ByteCache(clock)
    cache.put(1, None, until=clock() + 1)

    kept = cache.get(1)
    assert kept is not None
    assert kept.entry is None
    assert cache.get(2) is None


def test_what_has_ended_already_is_not_kept_and_takes_the_place_of_what_was(clock: Clock) -> None:
    cache = ByteCache(clock)
    cache.put(1, entry(), until=clock() + 1)
    cache.put(1, entry(version=2), until=clock())

    assert cache.get(1) is None
    assert cache.bytes == 0


def test_the_least_recently_used_leaves_first(clock: Clock) -> None:
    cache = ByteCache(clock, most_entries=2)
    cache.put(1, entry(), until=clock() + 1)
    cache.put(2, entry(), until=clock() + 1)
    cache.get(1)
    cache.put(3, entry(), until=clock() + 1)

    assert [cache.get(key) is not None for key in (1, 2, 3)] == [True, False, True]


def test_bytes_are_bounded_and_what_is_larger_than_all_of_them_is_not_kept(clock: Clock) -> None:
    cache = ByteCache(clock, most_bytes=2 * OVERHEAD_BYTES + 150)
    for key in (1, 2, 3):
        cache.put(key, entry(50), until=clock() + 1)
    assert [cache.get(key) is not None for key in (1, 2, 3)] == [False, True, True]

    cache.put(2, entry(5000), until=clock() + 1)
    assert [cache.get(key) is not None for key in (2, 3)] == [False, True]


def test_drops_are_counted_and_measured(clock: Clock) -> None:
    cache = ByteCache(clock)
    for key in (1, 2, 3):
        cache.put(key, entry(), until=clock() + 1)

    cache.drop(1)
    assert (cache.get(1), cache.drops, len(cache)) == (None, 1, 2)
    assert REGISTRY.get_sample_value("cache_entries") == 2
    cache.clear()
    assert (cache.drops, len(cache), cache.bytes) == (2, 0, 0)
    assert REGISTRY.get_sample_value("cache_bytes") == 0


@given(
    st.lists(
        st.tuples(st.sampled_from(["put", "get", "drop", "pass"]), st.integers(0, 6), st.integers(0, 400)), max_size=60
    )
)
def test_it_is_never_larger_than_its_bounds_and_counts_right(steps: list[tuple[str, int, int]]) -> None:
    clock = Clock()
    cache = ByteCache(clock, most_entries=4, most_bytes=3 * OVERHEAD_BYTES + 500)
    newest: dict[int, tuple[int, float]] = {}
    for what, key, size in steps:
        match what:
            case "put":
                cache.put(key, entry(size), until=clock() + size / 100)
                newest[key] = (size, clock() + size / 100)
            case "drop":
                cache.drop(key)
                newest.pop(key, None)
            case "pass":
                clock.pass_by(size / 100)
            case _:
                kept = cache.get(key)
                if kept is not None and kept.entry is not None:
                    assert (len(kept.entry.body), kept.until) == newest[key]
                    assert clock() < kept.until
        assert len(cache) <= 4
        assert 0 <= cache.bytes <= 3 * OVERHEAD_BYTES + 500
    for key in range(7):
        cache.drop(key)
    assert (len(cache), cache.bytes) == (0, 0)
