"""Wake-ups beside the work: whoever has committed goes on at once, and nobody waits for Redis (R9, R17)."""

import asyncio
from collections.abc import Awaitable, Callable


class WakeupSender:
    """Sends wake-ups one at a time; those that are asked for meanwhile become one more."""

    def __init__(self, publish: Callable[[], Awaitable[None]]) -> None:
        """Take what sends one wake-up: it never raises, and takes milliseconds."""
        self._publish = publish
        self._sending: asyncio.Task[None] | None = None
        self._again = False

    def send(self) -> None:
        """Have a wake-up sent after this moment; returns at once."""
        # One that is under way may have been sent before this commit, so another follows it.
        self._again = True
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._send(), name="wake-up")

    async def drain(self) -> None:
        """Return when the last wake-up is sent."""
        if self._sending is not None:
            await self._sending

    async def _send(self) -> None:
        while self._again:
            self._again = False
            await self._publish()
