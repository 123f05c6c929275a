import asyncio

import pytest
from redis.exceptions import RedisError

from doorbuster.infra.cache.guard import POLICY, Guard
from doorbuster.infra.cache.shared_cache import CacheAway
from doorbuster.infra.circuits import Circuits, Dependency
from tests.unit.doorbuster.infra.cache.fake_cache import Clock


class Server:
    """Answers, or raises what it is told to, and counts."""

    def __init__(self) -> None:
        self.failure: Exception | None = None
        self.asked = 0

    async def __call__(self) -> str:
        self.asked += 1
        if self.failure is not None:
            raise self.failure
        return "answer"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server() -> Server:
    return Server()


async def failed(guard: Guard, server: Server, times: int) -> None:
    for _ in range(times):
        with pytest.raises(CacheAway):
            await guard.ask(server)


@pytest.mark.parametrize("failure", [RedisError("gone"), ConnectionResetError(), TimeoutError()])
async def test_whatever_redis_does_is_told_as_one_thing(clock: Clock, server: Server, failure: Exception) -> None:
    guard = Guard(Circuits(Dependency.REDIS, clock=clock), "test")
    assert await guard.ask(server) == "answer"

    server.failure = failure
    await failed(guard, server, 1)


async def test_what_is_no_failure_of_redis_passes_through(clock: Clock, server: Server) -> None:
    server.failure = ZeroDivisionError()

    with pytest.raises(ZeroDivisionError):
        await Guard(Circuits(Dependency.REDIS, clock=clock), "test").ask(server)


async def test_after_some_failures_nobody_is_asked_for_a_while_and_then_one_tries(clock: Clock, server: Server) -> None:
    guard = Guard(Circuits(Dependency.REDIS, clock=clock), "test")
    server.failure = RedisError()
    await failed(guard, server, POLICY.failures + 10)
    assert server.asked == POLICY.failures

    clock.pass_by(POLICY.open_seconds)
    await failed(guard, server, 10)
    assert server.asked == POLICY.failures + 1

    clock.pass_by(POLICY.open_seconds)
    server.failure = None
    assert await guard.ask(server) == "answer"
    assert await guard.ask(server) == "answer"


async def test_a_question_waits_no_longer_than_it_may(clock: Clock) -> None:
    guard = Guard(Circuits(Dependency.REDIS, clock=clock), "test", answer_seconds=0.01)

    with pytest.raises(CacheAway):
        await guard.ask(asyncio.Event().wait)


async def test_one_who_tries_and_is_cancelled_does_not_keep_all_others_waiting(clock: Clock, server: Server) -> None:
    guard = Guard(Circuits(Dependency.REDIS, clock=clock), "test", answer_seconds=60)
    server.failure = RedisError()
    await failed(guard, server, POLICY.failures)
    clock.pass_by(POLICY.open_seconds)
    trying = asyncio.create_task(guard.ask(asyncio.Event().wait))
    await asyncio.sleep(0)
    trying.cancel()
    await asyncio.gather(trying, return_exceptions=True)

    clock.pass_by(POLICY.open_seconds)
    server.failure = None
    assert await guard.ask(server) == "answer"
