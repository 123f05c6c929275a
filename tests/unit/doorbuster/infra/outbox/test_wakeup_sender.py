import asyncio

import pytest

from doorbuster.infra.outbox.wakeup_sender import WakeupSender


class Relay:
    """Counts wake-ups; each takes as long as the test says."""

    def __init__(self) -> None:
        self.begun = 0
        self.goes_on = asyncio.Event()

    async def publish(self) -> None:
        self.begun += 1
        await self.goes_on.wait()


@pytest.fixture
async def relay() -> Relay:
    return Relay()


async def test_nobody_waits_for_a_wake_up_and_none_after_a_commit_is_lost(relay: Relay) -> None:
    sender = WakeupSender(relay.publish)

    sender.send()
    await asyncio.sleep(0)
    assert relay.begun == 1
    # Two commits while the first wake-up is under way: one more is enough for both.
    sender.send()
    sender.send()
    relay.goes_on.set()
    await sender.drain()

    assert relay.begun == 2


async def test_a_commit_after_the_last_wake_up_sends_another(relay: Relay) -> None:
    relay.goes_on.set()
    sender = WakeupSender(relay.publish)

    sender.send()
    await sender.drain()
    sender.send()
    await sender.drain()

    assert relay.begun == 2


async def test_where_nothing_was_stored_nothing_is_sent(relay: Relay) -> None:
    await WakeupSender(relay.publish).drain()

    assert relay.begun == 0
