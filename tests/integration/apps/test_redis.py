import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from doorbuster.infra.circuits import Circuits, Dependency
from doorbuster.infra.redis import WAKEUP_SECONDS, Wakeups, connect, listen_for_wakeups
from doorbuster.settings import RedisSettings, Settings
from tests.integration.apps.patient_redis import patient
from tests.integration.apps.relays import reached
from tests.ports import free_port

pytestmark = pytest.mark.integration


@pytest.fixture
async def client(settings: Settings) -> AsyncIterator[Redis]:
    client = patient(settings.redis)
    yield client
    await client.aclose()


class Count:
    """How often somebody was woken."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> None:
        self.times += 1


async def test_the_client_finds_a_primary_that_takes_writes(client: Redis) -> None:
    await client.set("test-of-the-client", b"1", ex=10)

    assert await client.get("test-of-the-client") == b"1"


async def test_a_wakeup_reaches_who_listens(client: Redis) -> None:
    woken = Count()
    listening = asyncio.create_task(listen_for_wakeups(client, woken))
    await reached(lambda: woken.times == 1, "the subscription stands")
    await Wakeups(client, Circuits(Dependency.REDIS)).publish_wakeup()
    await reached(lambda: woken.times == 2, "the wake-up has come")
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)


async def test_a_broken_subscription_is_made_again(client: Redis, settings: Settings) -> None:
    woken = Count()
    other = patient(settings.redis)
    listening = asyncio.create_task(listen_for_wakeups(other, woken))
    await reached(lambda: woken.times == 1, "the subscription stands")
    await client.client_kill_filter(_type="pubsub")
    await reached(lambda: woken.times >= 2, "the subscription stands again")
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    await other.aclose()


async def test_without_redis_a_wakeup_is_dropped_in_time() -> None:
    client = connect(RedisSettings(address=f"127.0.0.1:{free_port()}"))
    wakeups = Wakeups(client, Circuits(Dependency.REDIS))
    async with asyncio.timeout(1):
        for _ in range(100):
            await wakeups.publish_wakeup()
    await client.aclose()


async def test_a_redis_that_does_not_answer_costs_one_short_wait() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    client = connect(RedisSettings(address=f"127.0.0.1:{server.sockets[0].getsockname()[1]}"))
    wakeups = Wakeups(client, Circuits(Dependency.REDIS))
    started = asyncio.get_running_loop().time()
    for _ in range(100):
        await wakeups.publish_wakeup()
    took = asyncio.get_running_loop().time() - started
    await client.aclose()
    server.close()

    assert took < 4 * WAKEUP_SECONDS
