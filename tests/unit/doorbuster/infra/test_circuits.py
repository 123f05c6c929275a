"""The breaker before a server, around real calls."""

import asyncio
from dataclasses import dataclass

import pytest
from prometheus_client import REGISTRY

from doorbuster.infra.circuits import Circuit, CircuitOpen, Circuits, Dependency, worst
from doorbuster.kernel.breaker import BreakerPolicy, BreakerState

OPEN_SECONDS = 10.0


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Server:
    """Answers, or raises what it is told to."""

    error: BaseException | None = None
    calls: int = 0

    async def ask(self) -> str:
        self.calls += 1
        if self.error is not None:
            raise self.error
        return "answer"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def circuits(clock: Clock) -> Circuits:
    return Circuits(Dependency.REDIS, clock=clock)


def one_more(circuits: Circuits) -> Circuit:
    policy = BreakerPolicy(failures=2, open_seconds=OPEN_SECONDS)
    return circuits.circuit("test", failures=(OSError,), policy=policy)


@pytest.fixture
def circuit(circuits: Circuits) -> Circuit:
    return one_more(circuits)


def shown() -> float | None:
    return REGISTRY.get_sample_value("breaker_open", {"dependency": "redis"})


async def failing_twice(circuit: Circuit, server: Server) -> None:
    for _ in range(2):
        with pytest.raises(OSError, match="gone"):
            await circuit.call(server.ask)


async def test_an_answer_passes_and_the_metric_says_closed(circuit: Circuit) -> None:
    assert await circuit.call(Server().ask) == "answer"
    assert (circuit.state, shown()) == (BreakerState.CLOSED, 0)


async def test_after_enough_failures_the_server_is_not_asked(circuit: Circuit) -> None:
    server = Server(OSError("gone"))
    await failing_twice(circuit, server)

    with pytest.raises(CircuitOpen):
        await circuit.call(server.ask)

    assert (server.calls, circuit.state, shown()) == (2, BreakerState.OPEN, 1)


async def test_after_the_pause_one_call_tries_and_its_success_closes(circuit: Circuit, clock: Clock) -> None:
    server = Server(OSError("gone"))
    await failing_twice(circuit, server)
    clock.now += OPEN_SECONDS
    assert circuit.state is BreakerState.HALF_OPEN
    server.error = None

    assert await circuit.call(server.ask) == "answer"

    assert (circuit.state, shown()) == (BreakerState.CLOSED, 0)


async def test_beside_the_one_that_tries_nobody_is_let_through(circuit: Circuit, clock: Clock) -> None:
    await failing_twice(circuit, Server(OSError("gone")))
    clock.now += OPEN_SECONDS
    hanging = asyncio.Event()
    trying = asyncio.create_task(circuit.call(hanging.wait))
    await asyncio.sleep(0)

    with pytest.raises(CircuitOpen):
        await circuit.call(Server().ask)

    hanging.set()
    assert await trying
    assert circuit.state is BreakerState.CLOSED


@pytest.mark.parametrize("ends_with", [ValueError("ours"), asyncio.CancelledError()])
async def test_what_is_not_the_servers_fault_neither_opens_nor_blocks(
    circuit: Circuit, clock: Clock, ends_with: BaseException
) -> None:
    for _ in range(3):
        with pytest.raises(type(ends_with)):
            await circuit.call(Server(ends_with).ask)
    assert circuit.state is BreakerState.CLOSED
    await failing_twice(circuit, Server(OSError("gone")))
    clock.now += OPEN_SECONDS
    with pytest.raises(type(ends_with)):
        await circuit.call(Server(ends_with).ask)

    assert await circuit.call(Server().ask) == "answer"


async def test_one_purpose_stops_no_other_and_the_worst_is_shown(circuits: Circuits, clock: Clock) -> None:
    patient, hasty = one_more(circuits), one_more(circuits)
    await failing_twice(hasty, Server(OSError("gone")))

    assert await patient.call(Server().ask) == "answer"
    assert (circuits.state, shown()) == (BreakerState.OPEN, 1)

    clock.now += OPEN_SECONDS
    assert circuits.state is BreakerState.HALF_OPEN
    assert await hasty.call(Server().ask) == "answer"
    assert (circuits.state, shown()) == (BreakerState.CLOSED, 0)


def test_the_worst_state_is_the_one_that_refuses_most() -> None:
    assert worst([]) is BreakerState.CLOSED
    assert worst([BreakerState.CLOSED, BreakerState.HALF_OPEN]) is BreakerState.HALF_OPEN
    assert worst([BreakerState.OPEN, BreakerState.HALF_OPEN]) is BreakerState.OPEN
