"""The coalescer: an end for everyone who waits, whoever leaves, expires, fails or is cancelled."""

import asyncio
import gc
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from doorbuster.infra.batches.coalescer import Coalescer
from doorbuster.kernel.errors import NotAccepted, OutcomeUnknown, Overloaded, PrimaryUnavailable
from tests.unit.doorbuster.infra.batches.batches_on_demand import Batches, coalescer, submitted, turns


@pytest.fixture
async def batches() -> Batches:
    return Batches()


async def test_who_was_cancelled_while_waiting_frees_his_place_and_is_in_no_batch(batches: Batches) -> None:
    queue = coalescer(batches, max_waiting=2)
    tasks = [submitted(queue, 0)]
    await turns()
    leaver, stayer = submitted(queue, 1), submitted(queue, 2)
    await turns()
    leaver.cancel()
    await turns()
    tasks += [stayer, submitted(queue, 3)]
    await turns()
    batches.gate.set()
    assert await asyncio.gather(*tasks) == [0, 20, 30]
    assert leaver.cancelled()
    assert batches.seen == [[0], [2, 3]]


async def test_a_client_that_goes_away_does_not_cancel_its_batch(batches: Batches) -> None:
    queue = coalescer(batches)
    leaver, stayer = submitted(queue, 1), submitted(queue, 2)
    await turns()
    leaver.cancel()
    await turns()
    batches.gate.set()
    assert await stayer == 20
    assert batches.seen == [[1, 2]]


async def test_time_that_runs_out_in_the_queue_means_that_nothing_was_done(batches: Batches) -> None:
    queue = coalescer(batches)
    first = submitted(queue, 1)
    await turns()
    with pytest.raises(Overloaded, match="in the queue"):
        await queue.submit(2, user=2, deadline_seconds=0.01)
    batches.gate.set()
    await first
    await queue.drain()
    assert batches.seen == [[1]]


async def test_who_expired_while_the_loop_was_busy_is_in_no_batch(batches: Batches) -> None:
    queue = coalescer(batches)
    with pytest.raises(Overloaded, match="in the queue"):
        await queue.submit(1, user=1, deadline_seconds=0.0)
    assert batches.seen == []


async def test_time_that_runs_out_in_the_batch_means_that_the_outcome_is_unknown(batches: Batches) -> None:
    queue = coalescer(batches)
    with pytest.raises(OutcomeUnknown, match="while the batch ran"):
        await queue.submit(1, user=1, deadline_seconds=0.01)
    batches.gate.set()
    await queue.drain()
    assert batches.seen == [[1]]


async def test_an_exception_of_the_batch_comes_to_all_and_the_next_batch_runs(batches: Batches) -> None:
    broken = True

    async def run(items: Sequence[int]) -> Sequence[int | Exception]:
        if broken:
            raise PrimaryUnavailable("no primary")
        return await batches(items)

    batches.gate.set()
    queue = coalescer(run)
    ends = await asyncio.gather(*(submitted(queue, item) for item in range(3)), return_exceptions=True)
    assert [type(end) for end in ends] == [PrimaryUnavailable] * 3
    broken = False
    assert await submitted(queue, 4) == 40


async def test_a_batch_that_fails_before_it_awaits_fails_its_items(batches: Batches) -> None:
    def run(_: Sequence[int]) -> Any:
        raise ZeroDivisionError

    queue = coalescer(run)
    with pytest.raises(ZeroDivisionError):
        await submitted(queue, 1)


async def test_an_exception_among_the_outcomes_comes_to_its_own_caller_only(batches: Batches) -> None:
    batches.gate.set()
    batches.outcome = lambda item: NotAccepted("this one") if item == 2 else item
    queue = coalescer(batches)
    ends = await asyncio.gather(*(submitted(queue, item) for item in (1, 2, 3)), return_exceptions=True)
    assert ends[0] == 1
    assert ends[2] == 3
    assert isinstance(ends[1], NotAccepted)


@pytest.mark.parametrize("outcomes", [[1], [1, 2, 3], []])
async def test_a_wrong_number_of_outcomes_is_unknown_to_all(outcomes: list[int]) -> None:
    async def run(_: Sequence[int]) -> Sequence[int | Exception]:
        return outcomes

    queue = coalescer(run)
    ends = await asyncio.gather(*(submitted(queue, item) for item in (1, 2)), return_exceptions=True)
    assert [type(end) for end in ends] == [OutcomeUnknown] * 2


async def test_a_result_that_is_no_sequence_fails_its_items() -> None:
    async def run(_: Sequence[int]) -> Any:
        return None

    queue = coalescer(run)
    with pytest.raises(TypeError):
        await submitted(queue, 1)


@pytest.mark.parametrize("turns_before", [0, 1, 2, 5])
async def test_a_batch_that_is_cancelled_at_any_moment_resolves_its_items(batches: Batches, turns_before: int) -> None:
    queue = coalescer(batches)
    tasks = [submitted(queue, item) for item in (1, 2)]
    asyncio.get_running_loop().set_task_factory(_cancelling_batches_after(turns_before))
    ends = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(end) for end in ends] == [OutcomeUnknown] * 2
    assert {str(end) for end in ends} == {"the process ended while the batch ran"}
    asyncio.get_running_loop().set_task_factory(None)
    batches.gate.set()
    assert await submitted(queue, 3) == 30


def _cancelling_batches_after(turns_before: int) -> Any:
    def make(loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> asyncio.Task[Any]:
        task = asyncio.Task(coroutine, loop=loop, **options)
        if coroutine.__name__ == "_run":
            _later(loop, turns_before, task.cancel)
        return task

    return make


def _later(loop: asyncio.AbstractEventLoop, turns_before: int, action: Callable[[], Any]) -> None:
    if turns_before == 0:
        action()
    else:
        loop.call_soon(_later, loop, turns_before - 1, action)


async def test_drain_serves_who_waits_and_refuses_who_comes(batches: Batches) -> None:
    queue = coalescer(batches, max_items=2)
    tasks = [submitted(queue, item) for item in range(5)]
    await turns()
    draining = asyncio.create_task(queue.drain())
    await turns()
    with pytest.raises(Overloaded, match="ending"):
        await submitted(queue, 9)
    assert not draining.done()
    batches.gate.set()
    await draining
    assert await asyncio.gather(*tasks) == [0, 10, 20, 30, 40]


async def test_drain_of_an_idle_coalescer_returns_at_once(batches: Batches) -> None:
    await asyncio.wait_for(coalescer(batches).drain(), 1)


async def test_drain_right_after_a_submit_serves_it(batches: Batches) -> None:
    batches.gate.set()
    queue = coalescer(batches)
    task = submitted(queue, 1)
    await asyncio.sleep(0)
    await queue.drain()
    assert await task == 10


async def test_a_size_that_cannot_be_told_is_the_callers_problem_alone(batches: Batches) -> None:
    def size_of(item: int) -> int:
        return 100 // item

    batches.gate.set()
    queue: Coalescer[int, int] = Coalescer(batches, name="test", size_of=size_of)
    with pytest.raises(ZeroDivisionError):
        await submitted(queue, 0)
    assert await submitted(queue, 1) == 10


@pytest.mark.parametrize("turns_before", range(5))
async def test_an_error_that_meets_a_cancellation_is_not_reported_as_unretrieved(turns_before: int) -> None:
    reported: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: reported.append(context))
    tasks: list[asyncio.Task[int]] = []

    async def run(_: Sequence[int]) -> Sequence[int | Exception]:
        _later(loop, turns_before, tasks[0].cancel)
        raise PrimaryUnavailable("no primary")

    queue = coalescer(run)
    tasks.append(submitted(queue, 1))
    await asyncio.wait(tasks)
    await queue.drain()
    assert tasks[0].cancelled() or isinstance(tasks[0].exception(), PrimaryUnavailable)
    tasks.clear()
    gc.collect()
    assert reported == []
