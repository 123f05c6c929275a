"""A key is held while its command is in this process, and not a moment longer (R1)."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from doorbuster.infra.batches.in_flight import InFlight, KeyInFlight


@dataclass(frozen=True)
class Command:
    key_id: bytes


class Batches:
    def __init__(self) -> None:
        self.gate = asyncio.Event()

    async def __call__(self, commands: Sequence[Command]) -> Sequence[int]:
        await self.gate.wait()
        return [len(commands)] * len(commands)


@pytest.fixture
async def batches() -> Batches:
    return Batches()


async def test_a_second_command_with_a_key_that_waits_is_told_so(batches: Batches) -> None:
    keys = InFlight(batches)
    with keys.claimed(Command(b"one")), keys.claimed(Command(b"two")):
        with pytest.raises(KeyInFlight), keys.claimed(Command(b"one")):
            pass
        with pytest.raises(KeyInFlight), keys.claimed(Command(b"one")):
            pass


async def test_a_key_is_free_when_its_command_left_the_queue(batches: Batches) -> None:
    keys = InFlight(batches)
    with pytest.raises(asyncio.CancelledError), keys.claimed(Command(b"one")):
        raise asyncio.CancelledError
    with keys.claimed(Command(b"one")):
        pass


async def test_a_key_is_held_by_its_batch_when_the_client_is_gone_and_free_afterwards(batches: Batches) -> None:
    keys = InFlight(batches)
    command = Command(b"one")
    with keys.claimed(command):
        running = asyncio.create_task(keys.run_batch([command]))
        await asyncio.sleep(0)
    with pytest.raises(KeyInFlight), keys.claimed(Command(b"one")):
        pass
    batches.gate.set()
    assert await running == [1]
    with keys.claimed(Command(b"one")):
        pass


async def test_keys_of_a_batch_that_failed_are_free() -> None:
    async def fail(_: Sequence[Command]) -> Sequence[int]:
        raise ZeroDivisionError

    keys = InFlight(fail)
    command = Command(b"one")
    with keys.claimed(command):
        with pytest.raises(ZeroDivisionError):
            await keys.run_batch([command])
        with keys.claimed(Command(b"one")):
            pass


async def test_who_ends_late_leaves_the_key_of_the_next_one_alone(batches: Batches) -> None:
    """A batch has ended and its waiter hasn't had its turn yet, when a repeat claims the key."""
    keys = InFlight(batches)
    batches.gate.set()
    command, repeat = Command(b"one"), Command(b"one")
    first, second = keys.claimed(command), keys.claimed(repeat)
    first.__enter__()
    await keys.run_batch([command])
    second.__enter__()
    first.__exit__(None, None, None)
    with pytest.raises(KeyInFlight), keys.claimed(Command(b"one")):
        pass
    second.__exit__(None, None, None)
