"""The keys whose commands are in this process, in front of a coalescer (R1).

A second request with such a key is told so at once. A key leaves when its command does: with the batch, or with the
queue, but not with the client, who may be gone long before.
"""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar

from doorbuster.kernel.errors import DoorbusterError


class HasKey(Protocol):
    """A command under an idempotency key."""

    @property
    def key_id(self) -> bytes:
        """What names the key among all users and routes."""
        ...


K = TypeVar("K", bound=HasKey)
O_co = TypeVar("O_co", covariant=True)


class KeyInFlight(DoorbusterError):
    """A command with this key is being worked on."""


class InFlight(Generic[K, O_co]):
    """Stands on both sides of a coalescer: `claimed` around the wait for it, `run_batch` inside of it."""

    def __init__(self, run_batch: Callable[[Sequence[K]], Awaitable[Sequence[O_co]]]) -> None:
        """Take what runs a batch.

        Args:
            run_batch: commands in, outcomes out.
        """
        self._run_batch = run_batch
        self._holders: dict[bytes, K] = {}
        self._begun: set[bytes] = set()

    @contextmanager
    def claimed(self, command: K) -> Iterator[None]:
        """Hold the command's key while it waits.

        Raises:
            KeyInFlight: another command holds it.
        """
        if command.key_id in self._holders:
            raise KeyInFlight("a command with this key is being worked on")
        self._holders[command.key_id] = command
        try:
            yield
        finally:
            if command.key_id not in self._begun:
                self._release(command)

    async def run_batch(self, commands: Sequence[K]) -> Sequence[O_co]:
        """Return the outcomes of a batch, whose keys are held until then whoever waits for them."""
        key_ids = {command.key_id for command in commands}
        self._begun |= key_ids
        try:
            return await self._run_batch(commands)
        finally:
            self._begun -= key_ids
            for command in commands:
                self._release(command)

    def _release(self, command: K) -> None:
        # Only one's own: between a batch's end and the turn of who waits for it, a repeat may have come.
        if self._holders.get(command.key_id) is command:
            del self._holders[command.key_id]
