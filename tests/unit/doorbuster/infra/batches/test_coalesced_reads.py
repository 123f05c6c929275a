import asyncio
from collections.abc import Collection, Mapping

import pytest

from doorbuster.infra.batches.coalesced_reads import PUBLIC_READS, CoalescedReads
from doorbuster.kernel.errors import Overloaded, PrimaryUnavailable

ROWS = {1: "one", 2: "two"}


class Source:
    def __init__(self) -> None:
        self.queries: list[Collection[int]] = []
        self.failure: Exception | None = None
        self.hangs = False

    async def find(self, keys: Collection[int]) -> Mapping[int, str]:
        self.queries.append(keys)
        if self.failure is not None:
            raise self.failure
        if self.hangs:
            await asyncio.sleep(0.2)
        return {key: ROWS[key] for key in keys if key in ROWS}


def reads(source: Source, deadline_seconds: float = 5) -> CoalescedReads[int, str]:
    return CoalescedReads(source.find, name="test", limits=PUBLIC_READS, deadline_seconds=deadline_seconds)


async def test_reads_that_come_together_are_one_query() -> None:
    source = Source()
    reading = reads(source)

    found = await asyncio.gather(*(reading.find(key) for key in (1, 2, 1, 9)))

    assert found == ["one", "two", "one", None]
    assert source.queries == [{1, 2, 9}]


async def test_a_failure_reaches_everybody() -> None:
    source = Source()
    source.failure = PrimaryUnavailable("gone")
    reading = reads(source)

    results = await asyncio.gather(reading.find(1), reading.find(2), return_exceptions=True)

    assert [type(result) for result in results] == [PrimaryUnavailable] * 2


async def test_a_read_that_takes_too_long_is_refused_and_not_unknown() -> None:
    source = Source()
    source.hangs = True
    reading = reads(source, deadline_seconds=0.02)

    with pytest.raises(Overloaded):
        await reading.find(1)
    await reading.drain()
