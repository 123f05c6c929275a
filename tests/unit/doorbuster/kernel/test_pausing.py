import asyncio

from doorbuster.kernel.pausing import pause_until


async def test_a_pause_ends_when_the_event_is_set() -> None:
    event = asyncio.Event()
    pausing = asyncio.create_task(pause_until(event, at_most_seconds=60))
    await asyncio.sleep(0)
    event.set()

    async with asyncio.timeout(10):
        await pausing


async def test_a_pause_ends_without_the_event() -> None:
    event = asyncio.Event()

    await pause_until(event, at_most_seconds=0.001)

    assert not event.is_set()
