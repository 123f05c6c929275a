"""What a process tells others beside its work: one send at a time, and of each key only the newest value."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class NewestSends(Generic[K, V]):
    """Values that are sent by key; those that come while a send is under way go together in the next one."""

    def __init__(
        self,
        send: Callable[[Mapping[K, V]], Awaitable[None]],
        *,
        name: str,
        bound: Callable[[Mapping[K, V]], Mapping[K, V]] = dict,
    ) -> None:
        """Take what sends.

        Args:
            send: never raises, and takes milliseconds.
            name: of the sends' task.
            bound: returns what may wait of the values that would; all of them, unless the keys could grow forever.
        """
        self._send = send
        self._name = name
        self._bound = bound
        self._waiting: Mapping[K, V] = {}
        self._sending: asyncio.Task[None] | None = None

    def add(self, values: Mapping[K, V]) -> None:
        """Have values sent, in place of what still waits of the same keys; returns at once."""
        self._waiting = self._bound({**self._waiting, **values})
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._send_waiting(), name=self._name)

    async def drain(self) -> None:
        """Return when the last value is sent."""
        if self._sending is not None:
            await self._sending

    async def _send_waiting(self) -> None:
        while self._waiting:
            waiting, self._waiting = self._waiting, {}
            await self._send(waiting)
