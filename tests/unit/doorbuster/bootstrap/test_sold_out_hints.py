import asyncio
from collections.abc import Collection

import pytest

from doorbuster.bootstrap.sold_out_hints import SoldOutHints
from doorbuster.kernel.ids import ProductId
from doorbuster.products.sold_out import StockLevels

A, B = ProductId(1), ProductId(2)


def stock_levels(sold_out: Collection[ProductId] = (), back: Collection[ProductId] = ()) -> StockLevels:
    return StockLevels(sold_out=frozenset(sold_out), back=frozenset(back))


class Redis:
    """Takes hints, as fast as a test lets it."""

    def __init__(self) -> None:
        self.sent: list[StockLevels] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def send(self, levels: StockLevels) -> None:
        self.sent.append(levels)
        await self.may_answer.wait()


@pytest.fixture
def redis() -> Redis:
    return Redis()


@pytest.fixture
def hints(redis: Redis) -> SoldOutHints:
    return SoldOutHints(redis.send)


async def test_hints_are_sent_after_the_commit_and_not_before(redis: Redis, hints: SoldOutHints) -> None:
    hints.decided(stock_levels(sold_out=[A]))
    await hints.drain()
    assert redis.sent == []

    hints.committed()
    await hints.drain()
    assert redis.sent == [stock_levels(sold_out=[A])]


async def test_only_the_attempt_that_was_committed_counts(redis: Redis, hints: SoldOutHints) -> None:
    hints.decided(stock_levels(sold_out=[A]))
    hints.decided(stock_levels(sold_out=[B]))
    hints.committed()
    hints.committed()
    await hints.drain()

    assert redis.sent == [stock_levels(sold_out=[B])]


async def test_a_batch_that_says_nothing_sends_nothing(redis: Redis, hints: SoldOutHints) -> None:
    hints.decided(stock_levels())
    hints.committed()
    await hints.drain()

    assert redis.sent == []


async def test_what_comes_while_redis_is_slow_is_sent_together_and_the_last_word_counts(
    redis: Redis, hints: SoldOutHints
) -> None:
    redis.may_answer.clear()
    for levels in (stock_levels(sold_out=[A]), stock_levels(sold_out=[B]), stock_levels(back=[B]), stock_levels([A])):
        hints.decided(levels)
        hints.committed()
        await asyncio.sleep(0)
    redis.may_answer.set()
    await hints.drain()

    assert redis.sent == [stock_levels(sold_out=[A]), stock_levels(sold_out=[A], back=[B])]
