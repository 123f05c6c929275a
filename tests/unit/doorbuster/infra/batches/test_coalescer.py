"""The coalescer: batches that grow with the load and only with it, and bounds."""

import asyncio

import pytest
from prometheus_client import REGISTRY

from doorbuster.infra.batches.coalescer import Coalescer, Limits
from doorbuster.kernel.errors import Overloaded
from tests.unit.doorbuster.infra.batches.batches_on_demand import Batches, coalescer, submitted, turns


@pytest.fixture
async def batches() -> Batches:
    return Batches()


async def test_what_is_submitted_in_one_turn_is_one_batch_in_its_order(batches: Batches) -> None:
    batches.gate.set()
    queue = coalescer(batches)
    assert await asyncio.gather(*(submitted(queue, item) for item in (3, 1, 2))) == [30, 10, 20]
    assert batches.seen == [[3, 1, 2]]


async def test_a_single_item_never_waits_for_company(batches: Batches) -> None:
    queue = coalescer(batches)
    task = submitted(queue, 1)
    await turns()
    assert batches.seen == [[1]]
    batches.gate.set()
    assert await task == 10


async def test_what_comes_while_a_batch_is_in_flight_is_the_next_batch(batches: Batches) -> None:
    queue = coalescer(batches)
    tasks = [submitted(queue, 1)]
    await turns()
    for item in (2, 3, 4):
        tasks.append(submitted(queue, item))
        await turns()
    assert batches.seen == [[1]]
    batches.gate.set()
    assert await asyncio.gather(*tasks) == [10, 20, 30, 40]
    assert batches.seen == [[1], [2, 3, 4]]


async def test_a_batch_ends_at_the_most_items(batches: Batches) -> None:
    batches.gate.set()
    queue = coalescer(batches, max_items=3)
    await asyncio.gather(*(submitted(queue, item) for item in range(7)))
    assert batches.seen == [[0, 1, 2], [3, 4, 5], [6]]


async def test_a_batch_ends_at_the_most_rows_but_holds_at_least_one_item(batches: Batches) -> None:
    batches.gate.set()
    queue: Coalescer[int, int] = Coalescer(batches, name="test", rows_of=lambda item: item)
    await asyncio.gather(*(submitted(queue, item) for item in (1_500, 500, 1, 3_000, 1_999)))
    assert batches.seen == [[1_500, 500], [1], [3_000], [1_999]]


async def test_a_batch_ends_at_the_most_bytes_but_holds_at_least_one_item(batches: Batches) -> None:
    batches.gate.set()
    queue: Coalescer[int, int] = Coalescer(
        batches, name="test", limits=Limits(max_bytes=100), size_of=lambda item: item
    )
    await asyncio.gather(*(submitted(queue, item) for item in (60, 40, 1, 500, 99)))
    assert batches.seen == [[60, 40], [1], [500], [99]]


async def test_as_many_batches_run_at_once_as_the_limit_says(batches: Batches) -> None:
    queue = coalescer(batches, max_items=1, in_flight=2)
    tasks = [submitted(queue, item) for item in range(3)]
    await turns()
    assert batches.seen == [[0], [1]]
    batches.gate.set()
    await asyncio.gather(*tasks)
    assert batches.seen == [[0], [1], [2]]


async def test_one_more_than_may_wait_is_refused_at_once(batches: Batches) -> None:
    queue = coalescer(batches, max_waiting=2)
    tasks = [submitted(queue, 0)]
    await turns()
    tasks += [submitted(queue, item) for item in (1, 2)]
    await turns()
    with pytest.raises(Overloaded, match="2 commands wait already"):
        await submitted(queue, 3)
    batches.gate.set()
    assert await asyncio.gather(*tasks) == [0, 10, 20]


async def test_the_fifth_command_of_a_user_is_refused_and_another_users_is_not(batches: Batches) -> None:
    queue = coalescer(batches)
    tasks = [submitted(queue, 0)]
    await turns()
    tasks += [submitted(queue, item, user=7) for item in (1, 2, 3, 4)]
    await turns()
    with pytest.raises(Overloaded, match="4 commands of this user"):
        await submitted(queue, 5, user=7)
    tasks.append(submitted(queue, 6, user=8))
    batches.gate.set()
    await asyncio.gather(*tasks)
    assert await submitted(queue, 9, user=7) == 90


async def test_metrics_count_who_waits_and_how_large_batches_are(batches: Batches) -> None:
    labels = {"use_case": "measured"}
    queue: Coalescer[int, int] = Coalescer(batches, name="measured")
    tasks = [submitted(queue, 0)]
    await turns()
    tasks += [submitted(queue, item) for item in (1, 2)]
    await turns()
    assert REGISTRY.get_sample_value("coalescer_waiting", labels) == 2
    batches.gate.set()
    await asyncio.gather(*tasks)
    assert REGISTRY.get_sample_value("coalescer_waiting", labels) == 0
    assert REGISTRY.get_sample_value("coalescer_batch_size_sum", labels) == 3
    assert REGISTRY.get_sample_value("coalescer_batch_size_count", labels) == 2
