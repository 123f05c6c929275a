import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from doorbuster_operator.handlers.roles import Namespace
from doorbuster_operator.handlers.ticks import TICKS_UNTIL_FORGOTTEN
from doorbuster_operator.ports import MetricsUnavailable
from tests.unit.doorbuster_operator.handlers.loops import (
    FakeObjects,
    FakeReconciler,
    Gate,
    Loop,
    scaler,
)

# Time for what should have happened at once.
PATIENCE_SECONDS = 10.0


def failing(error: Exception) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not holds():  # noqa: ASYNC110  # threads have no events of this loop
            await asyncio.sleep(0.001)


async def test_a_tick_looks_at_every_scaler_once() -> None:
    loop = Loop(calls_seconds=5)
    loop.has(scaler("stock"), scaler("payment"), scaler("coupon"))

    await loop.ticks.tick()

    assert sorted(loop.reconciler.reconciled) == ["coupon", "payment", "stock"]
    assert loop.measures.ticks == 1
    assert loop.measures.failures == {}


@pytest.mark.parametrize("error", [MetricsUnavailable("no answer"), RuntimeError("a bug"), TimeoutError()])
async def test_a_scaler_that_fails_is_counted_and_the_others_go_on(error: Exception) -> None:
    loop = Loop(calls_seconds=5)
    loop.has(scaler("stock"), scaler("payment"))
    loop.reconciler.does["stock"] = failing(error)

    await loop.ticks.tick()
    await loop.ticks.tick()

    assert loop.reconciler.reconciled.count("payment") == 2
    assert loop.reconciler.reconciled.count("stock") == 2
    assert loop.measures.failures == {"reconcile": 2}


async def test_a_call_that_hangs_is_given_up_and_not_made_again_until_it_returns() -> None:
    loop = Loop()
    gate = Gate()
    loop.has(scaler("stock"))
    loop.reconciler.does["stock"] = gate.wait

    for _ in range(3):
        await loop.ticks.tick()

    assert loop.reconciler.reconciled == ["stock"]
    assert loop.measures.failures == {"reconcile": 3}
    assert loop.measures.ticks == 3

    gate.open()
    await until(lambda: not loop.ticks.hanging)
    await loop.ticks.tick()

    assert loop.reconciler.reconciled == ["stock", "stock"]


async def test_hanging_calls_never_take_more_threads_than_there_are() -> None:
    loop = Loop(threads=2)
    gate = Gate()
    names = [f"s{number}" for number in range(5)]
    loop.has(*map(scaler, names))
    loop.reconciler.does = dict.fromkeys(names, gate.wait)

    for _ in range(3):
        await loop.ticks.tick()
    reconciled = len(loop.reconciler.reconciled)
    hanging = len(loop.ticks.hanging)
    gate.open()
    await until(lambda: not loop.ticks.hanging)

    assert (reconciled, hanging) == (2, 2)


async def test_more_scalers_than_threads_are_all_looked_at_in_one_tick() -> None:
    loop = Loop(threads=2, calls_seconds=5)
    loop.has(*(scaler(f"s{number}") for number in range(7)))

    await loop.ticks.tick()

    assert len(set(loop.reconciler.reconciled)) == 7


async def test_when_the_time_doesnt_suffice_for_all_it_is_the_turn_of_others_in_the_next_tick() -> None:
    loop = Loop(threads=1, calls_seconds=0.05)
    gates = {name: Gate() for name in ("a", "b", "c")}
    loop.has(*map(scaler, gates))
    loop.reconciler.does = {name: gate.wait for name, gate in gates.items()}

    for gate in gates.values():
        await loop.ticks.tick()
        gate.open()
        await until(lambda: not loop.ticks.hanging)

    assert loop.reconciler.reconciled[:3] == ["a", "b", "c"]


async def test_of_scalers_with_the_same_target_only_the_oldest_has_no_rival() -> None:
    loop = Loop(calls_seconds=5)
    loop.has(
        scaler("a", target="stock", made="2026-11-25T22:10:06Z"),
        scaler("c", target="stock", made="2026-11-25T22:10:05Z"),
        scaler("b", target="stock", made="2026-11-25T22:10:05Z"),
        scaler("d", target="payment", made="2026-11-25T22:10:07Z"),
    )

    await loop.ticks.tick()

    assert loop.reconciler.rivals == {"a": "b", "b": "", "c": "b", "d": ""}


async def test_a_tick_ends_in_time_whatever_hangs() -> None:
    loop = Loop(calls_seconds=0.05)
    gate = Gate()
    loop.has(scaler("stock"))
    loop.reconciler.does["stock"] = gate.wait

    async with asyncio.timeout(PATIENCE_SECONDS / 2):
        await loop.ticks.tick()

    gate.open()
    await until(lambda: not loop.ticks.hanging)


async def test_only_the_leader_acts() -> None:
    loop = Loop(calls_seconds=5)
    loop.has(scaler("stock"))
    loop.leadership.has = False

    await loop.ticks.tick()

    assert loop.reconciler.reconciled == []
    assert loop.measures.led == [False]
    assert loop.measures.ticks == 1


async def test_a_lease_that_is_lost_for_long_makes_everything_forgotten_once() -> None:
    loop = Loop(calls_seconds=5)
    loop.has(scaler("stock"))
    await loop.ticks.tick()
    loop.leadership.has = False

    for _ in range(TICKS_UNTIL_FORGOTTEN - 1):
        await loop.ticks.tick()
    before = list(loop.reconciler.forgotten)
    for _ in range(TICKS_UNTIL_FORGOTTEN):
        await loop.ticks.tick()

    assert before == []
    assert loop.reconciler.forgotten == ["stock"]


async def test_a_scaler_whose_call_hangs_when_the_lease_is_lost_is_forgotten_when_the_call_returns() -> None:
    loop = Loop()
    gate = Gate()
    loop.has(scaler("stock"))
    loop.reconciler.does["stock"] = gate.wait
    await loop.ticks.tick()
    loop.leadership.has = False

    for _ in range(TICKS_UNTIL_FORGOTTEN):
        await loop.ticks.tick()
    before = list(loop.reconciler.forgotten)
    gate.open()
    await until(lambda: not loop.ticks.hanging)
    await loop.ticks.tick()

    assert before == []
    assert loop.reconciler.forgotten == ["stock"]


async def test_a_scaler_that_is_gone_is_forgotten() -> None:
    loop = Loop(calls_seconds=5)
    loop.has(scaler("stock"), scaler("payment"))
    await loop.ticks.tick()

    loop.has(scaler("payment"))
    await loop.ticks.tick()

    assert loop.reconciler.forgotten == ["stock"]


async def test_a_scaler_that_is_gone_while_its_call_hangs_is_forgotten_when_the_call_returns() -> None:
    loop = Loop()
    gate = Gate()
    loop.has(scaler("stock"))
    loop.reconciler.does["stock"] = gate.wait
    await loop.ticks.tick()

    loop.has()
    await loop.ticks.tick()
    before = list(loop.reconciler.forgotten)
    gate.open()
    await until(lambda: not loop.ticks.hanging)
    await loop.ticks.tick()

    assert before == []
    assert loop.reconciler.forgotten == ["stock"]


async def test_a_list_that_is_not_known_forgets_nobody() -> None:
    loop = Loop(calls_seconds=5)
    loop.has(scaler("stock"))
    await loop.ticks.tick()
    loop.objects.found = None

    await loop.ticks.tick()

    assert loop.reconciler.forgotten == []
    assert loop.reconciler.reconciled == ["stock"]
    assert loop.measures.failures == {"list_scalers": 1}


async def test_a_namespace_that_is_not_known_leaves_the_others_alone() -> None:
    there = FakeReconciler()
    other = Namespace(name="tickets", objects=FakeObjects(found=[scaler("seats")]), reconciler=there)
    loop = Loop(calls_seconds=5, others=[other])
    loop.objects.found = None

    await loop.ticks.tick()

    assert there.reconciled == ["seats"]


@asynccontextmanager
async def running(loop: Loop) -> AsyncIterator[None]:
    task = asyncio.create_task(loop.ticks.run())
    yield
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_changed_spec_has_the_next_tick_come_at_once() -> None:
    loop = Loop(calls_seconds=5, tick_seconds=3600)

    async with running(loop):
        await until(lambda: loop.measures.ticks == 1)
        loop.ticks.wake()
        await until(lambda: loop.measures.ticks == 2)


async def test_ticks_come_by_themselves() -> None:
    loop = Loop(calls_seconds=5, tick_seconds=0.01)

    async with running(loop):
        await until(lambda: loop.measures.ticks >= 3)
