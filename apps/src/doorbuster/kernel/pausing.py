"""A pause that ends early when there is a reason."""

import asyncio


async def pause_until(event: asyncio.Event, *, at_most_seconds: float) -> None:
    """Return when the event is set, at the latest after so many seconds; whoever cares asks the event."""
    try:
        async with asyncio.timeout(at_most_seconds):
            await event.wait()
    except TimeoutError:
        return
