import asyncio
import os
import signal

import pytest

from doorbuster.infra.process.signals import stop_event


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_sets_the_event(number: signal.Signals) -> None:
    with stop_event() as stop:
        os.kill(os.getpid(), number)
        await asyncio.wait_for(stop.wait(), timeout=5)

    assert stop.is_set()
