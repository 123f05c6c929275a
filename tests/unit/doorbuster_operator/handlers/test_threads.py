import asyncio
import threading

import pytest

from doorbuster_operator.handlers.threads import StillRuns, Threads
from tests.unit.doorbuster_operator.handlers.loops import Gate

PATIENCE_SECONDS = 10.0


async def test_the_result_of_a_call_comes_back() -> None:
    assert await Threads(1).run(lambda: 7, name="seven") == 7


async def test_an_error_of_a_call_comes_back() -> None:
    def fail() -> None:
        raise LookupError("nothing there")

    with pytest.raises(LookupError, match="nothing there"):
        await Threads(1).run(fail, name="fail")


async def test_a_call_that_nobody_waits_for_any_more_keeps_its_name_and_its_thread() -> None:
    threads, gate = Threads(1), Gate()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await threads.run(gate.wait, name="slow")

    with pytest.raises(StillRuns):
        await threads.run(lambda: None, name="slow")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await threads.run(lambda: None, name="another")

    gate.open()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await threads.run(lambda: None, name="another")
        await threads.run(lambda: None, name="slow")
    assert threads.running == frozenset()


async def test_what_waited_for_a_thread_in_vain_was_never_called() -> None:
    threads, gate = Threads(1), Gate()
    called: list[str] = []
    slow = asyncio.create_task(threads.run(gate.wait, name="slow"))
    await asyncio.sleep(0)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await threads.run(lambda: called.append("another"), name="another")

    gate.open()
    await slow

    assert called == []


async def test_threads_never_keep_the_process_from_ending() -> None:
    assert await Threads(1).run(lambda: threading.current_thread().daemon, name="daemon") is True


def test_a_call_that_returns_after_the_loop_has_ended_harms_nobody() -> None:
    gate = Gate()

    async def give_up() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await Threads(1).run(gate.wait, name="late")

    asyncio.run(give_up())
    gate.open()
    late = [thread for thread in threading.enumerate() if thread.name == "late"]
    for thread in late:
        thread.join(PATIENCE_SECONDS)

    assert not any(thread.is_alive() for thread in late)
