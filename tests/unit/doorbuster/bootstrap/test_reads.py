import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from prometheus_client import REGISTRY

from doorbuster.bootstrap.reads import OrderReads
from doorbuster.kernel.errors import PrimaryUnavailable
from doorbuster.kernel.ids import UserId

MOST_PAGES = 8


class Gone:
    """A database that can't be reached."""

    def __init__(self) -> None:
        self.asked = 0
        self.failure: Exception | None = PrimaryUnavailable("gone")

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Any]:
        self.asked += 1
        if self.failure is not None:
            raise self.failure
        yield None


def batches() -> tuple[float, float]:
    """Return how many batches of pages there were, and how many pages in all."""
    labels = {"use_case": "order-page"}
    count, total = (REGISTRY.get_sample_value(f"coalescer_batch_size_{each}", labels) for each in ("count", "sum"))
    return count or 0.0, total or 0.0


async def test_few_pages_of_orders_are_in_memory_at_once() -> None:
    database = Gone()
    reads = OrderReads(database, deadline_seconds=5)  # type: ignore[arg-type]  # the one thing that it asks for
    before = batches()

    pages = (reads.page(UserId(number), before=None, limit=100) for number in range(1, 3 * MOST_PAGES + 1))
    results = await asyncio.gather(*pages, return_exceptions=True)
    after = batches()

    assert {type(result) for result in results} == {PrimaryUnavailable}
    assert (after[0] - before[0], after[1] - before[1]) == (3, 3 * MOST_PAGES)
    assert database.asked == 3
