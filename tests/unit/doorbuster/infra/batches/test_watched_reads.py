import asyncio
from collections.abc import Collection, Mapping

import pytest

from doorbuster.infra.batches.watched_reads import TooManyWatches, Watched, WatchedReads
from doorbuster.kernel.errors import Overloaded, PrimaryUnavailable

SOON = 5.0
NOT_AT_ALL = 0.0


class Source:
    def __init__(self) -> None:
        self.values = {1: "a", 2: "a"}
        self.reads: list[Collection[int]] = []
        self.failures: list[Exception] = []
        self.was_read = asyncio.Event()

    async def find(self, keys: Collection[int]) -> Mapping[int, str]:
        self.reads.append(keys)
        self.was_read.set()
        if self.failures:
            raise self.failures.pop()
        return {key: self.values[key] for key in keys if key in self.values}


def reads(source: Source, *, most: int = 10, every_seconds: float = 0.001) -> WatchedReads[int, str]:
    return WatchedReads(source.find, most_watches=most, every_seconds=every_seconds)


async def test_all_watchers_are_served_by_one_read() -> None:
    source = Source()
    watches = reads(source)

    with watches.watching(1, "a") as first, watches.watching(1, "a") as second, watches.watching(2, "a") as other:
        source.values[1] = "b"
        await watches.look()

        assert await first.changed(at_most_seconds=SOON) == "b"
        assert await second.changed(at_most_seconds=SOON) == "b"
        assert await other.changed(at_most_seconds=NOT_AT_ALL) is None
    assert source.reads == [{1, 2}]


async def test_without_watchers_nothing_is_read() -> None:
    source = Source()
    watches = reads(source)
    with watches.watching(1, "a"):
        pass

    await watches.look()

    assert source.reads == []


async def test_a_slow_watcher_sees_the_newest_value_and_none_twice() -> None:
    watched = Watched("a")
    for value in ("b", "c", "d"):
        watched.offer(value)

    assert await watched.changed(at_most_seconds=SOON) == "d"
    watched.offer("d")
    assert await watched.changed(at_most_seconds=NOT_AT_ALL) is None


async def test_a_value_that_came_back_is_no_change() -> None:
    watched = Watched("a")
    watched.offer("b")
    watched.offer("a")

    assert await watched.changed(at_most_seconds=0.01) is None


async def test_who_came_during_a_read_is_not_shown_what_it_found() -> None:
    reading, go_on = asyncio.Event(), asyncio.Event()

    async def find(keys: Collection[int]) -> Mapping[int, str]:
        reading.set()
        await go_on.wait()
        return dict.fromkeys(keys, "b")

    watches = WatchedReads(find)
    with watches.watching(1, "a") as early:
        look = asyncio.create_task(watches.look())
        async with asyncio.timeout(SOON):
            await reading.wait()
        with watches.watching(1, "c") as late:
            go_on.set()
            await look

            assert await early.changed(at_most_seconds=SOON) == "b"
            assert await late.changed(at_most_seconds=NOT_AT_ALL) is None


async def test_a_waiting_watcher_is_woken() -> None:
    watched = Watched("a")
    waiting = asyncio.create_task(watched.changed(at_most_seconds=SOON))
    await asyncio.sleep(0)

    watched.offer("b")

    assert await waiting == "b"


async def test_one_more_than_the_bound_is_refused_until_one_leaves() -> None:
    watches = reads(Source(), most=2)

    with watches.watching(1, "a"):
        with watches.watching(1, "a"), pytest.raises(TooManyWatches), watches.watching(2, "a"):
            pass
        with watches.watching(2, "a"):
            pass


async def test_it_goes_on_after_failures_of_any_kind() -> None:
    source = Source()
    source.failures = [ValueError("a bug"), PrimaryUnavailable("gone"), PrimaryUnavailable("gone")]
    watches = reads(source)
    watches.start()

    with watches.watching(1, "a") as watched:
        source.values[1] = "b"
        assert await watched.changed(at_most_seconds=SOON) == "b"
    await watches.close()


async def test_the_end_wakes_everybody_and_refuses_the_next() -> None:
    watches = reads(Source())
    with watches.watching(1, "a") as watched:
        waiting = asyncio.create_task(watched.changed(at_most_seconds=SOON))
        await asyncio.sleep(0)

        watches.end()

        assert await waiting is None
        assert watched.ended
        with pytest.raises(Overloaded), watches.watching(2, "a"):
            pass


async def test_what_was_read_before_the_end_is_still_told() -> None:
    watched = Watched("a")
    watched.offer("b")
    watched.end()

    assert await watched.changed(at_most_seconds=SOON) == "b"
    assert await watched.changed(at_most_seconds=SOON) is None


async def test_closing_ends_the_reads() -> None:
    source = Source()
    watches = reads(source)
    watches.start()
    with watches.watching(1, "a"):
        async with asyncio.timeout(SOON):
            await source.was_read.wait()
        await watches.close()
        seen = len(source.reads)
        for _ in range(20):
            await asyncio.sleep(0)

    assert len(source.reads) == seen
