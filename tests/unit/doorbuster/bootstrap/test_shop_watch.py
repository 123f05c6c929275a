import asyncio
import math
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import TextClause
from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.bootstrap.shop_watch import ShopWatch
from doorbuster.kernel.errors import DoorbusterError, PrimaryUnavailable


@dataclass
class Answer:
    """A result of one row."""

    value: object

    def scalar_one(self) -> object:
        return self.value


@dataclass
class Shop:
    """A database that answers the numbers of products one after the other; the last one again and again."""

    products: list[object] = field(default_factory=lambda: [3])
    asked: int = 0
    asked_thrice: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        yield cast("AsyncConnection", self)

    async def execute(self, _: TextClause) -> Answer:
        self.asked += 1
        if self.asked == 3:
            self.asked_thrice.set()
        answer = self.products.pop(0) if len(self.products) > 1 else self.products[0]
        if isinstance(answer, DoorbusterError):
            raise answer
        return Answer(value=answer)


def products() -> float | None:
    return REGISTRY.get_sample_value("catalogue_products")


async def watched(shop: Shop) -> asyncio.Task[None]:
    """Return a watch that has looked three times and goes on."""
    task = asyncio.create_task(ShopWatch(shop, look_seconds=0.001).run())
    async with asyncio.timeout(10):
        await shop.asked_thrice.wait()
    return task


@pytest.mark.parametrize("number", [0, 3])
async def test_a_look_shows_the_products_also_when_there_are_none(number: int) -> None:
    await ShopWatch(Shop(products=[number])).look()

    assert products() == number


async def test_what_cannot_be_read_is_not_known_until_it_can() -> None:
    watch = ShopWatch(Shop(products=[5, PrimaryUnavailable("failover"), 6]))

    counts = []
    for _ in range(3):
        await watch.look()
        counts.append(products())

    assert (counts[0], math.isnan(counts[1] or 0), counts[2]) == (5, True, 6)


async def test_who_does_not_watch_any_more_knows_nothing() -> None:
    task = await watched(Shop(products=[7]))
    assert products() == 7
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert math.isnan(products() or 0)


async def test_a_bug_ends_nothing_but_what_is_known() -> None:
    task = await watched(Shop(products=["no number"]))
    assert not task.done()
    assert math.isnan(products() or 0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_before_anything_was_measured_no_process_says_0() -> None:
    # This process has measured already.
    names = ("catalogue_products", "sagas_open", "sagas_uncompensated", "audit_last_success_timestamp")
    script = (
        "import doorbuster.infra.telemetry; from prometheus_client import REGISTRY;"
        f"print([REGISTRY.get_sample_value(name) for name in {names}])"
    )
    # It finds what this process finds, however that was told where.
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    shown = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True, timeout=60
    )

    assert shown.stdout.strip() == "[nan, nan, nan, nan]"


async def test_the_minimum_is_shown_and_counted_up_to() -> None:
    found = ShopWatch(Shop(products=[3]), minimum_products=5_000)

    assert REGISTRY.get_sample_value("catalogue_products_minimum") == 5_000
    assert "LIMIT 5000)" in str(found._count_products)
