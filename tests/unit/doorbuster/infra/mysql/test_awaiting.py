import asyncio

import pytest

from doorbuster.infra.mysql.awaiting import outlast_cancellation


async def test_it_ends_with_the_task() -> None:
    task = asyncio.create_task(asyncio.sleep(0))

    await outlast_cancellation(task)

    assert task.done()


async def test_a_cancellation_arrives_after_the_task_has_ended() -> None:
    end = asyncio.Event()
    steps: list[str] = []

    async def wait() -> None:
        await outlast_cancellation(task)
        steps.append("outlasted")
        await asyncio.sleep(60)

    task: asyncio.Task[None] = asyncio.create_task(_until(end))
    waiter = asyncio.create_task(wait())
    await asyncio.sleep(0)
    waiter.cancel()
    waiter.cancel()
    await asyncio.sleep(0)
    assert not waiter.done()
    end.set()
    with pytest.raises(asyncio.CancelledError):
        await waiter

    assert steps == ["outlasted"]
    assert not task.cancelled()


async def test_a_timeout_that_has_ended_does_not_come_again() -> None:
    end = asyncio.Event()
    task: asyncio.Task[None] = asyncio.create_task(_until(end))
    asyncio.get_running_loop().call_later(0.02, end.set)

    async with asyncio.timeout(0.01):
        await outlast_cancellation(task)
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert task.done()


async def _until(event: asyncio.Event) -> None:
    await event.wait()
