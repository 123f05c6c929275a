"""Notices on a real Redis: they are read by others, fade, and cost nobody anything when Redis is gone."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from doorbuster.infra import notices
from doorbuster.infra.notices import ANSWER_SECONDS, MOST_NOTICES, NoticeBoard, keep_telling, read, tell
from doorbuster.infra.redis import connect
from doorbuster.settings import RedisSettings, Settings
from tests.integration.apps.patient_redis import patient
from tests.ports import free_port

pytestmark = pytest.mark.integration

FADING_SECONDS = 10


@pytest.fixture
async def client(settings: Settings) -> AsyncIterator[Redis]:
    client = patient(settings.redis)
    await client.delete(*NoticeBoard)
    yield client
    await client.delete(*NoticeBoard)
    await client.aclose()


async def test_what_several_tell_is_read_together_and_on_its_own_board(client: Redis) -> None:
    await tell(client, NoticeBoard.FAULTS, ["relay/poison"])
    await tell(client, NoticeBoard.FAULTS, ["consumer-stock/slow-query", "relay/poison"])

    assert await read(client, NoticeBoard.FAULTS) == ("consumer-stock/slow-query", "relay/poison")
    assert await read(client, NoticeBoard.BREAKERS) == ()


async def test_what_nobody_tells_any_more_fades(client: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notices, "TTL_SECONDS", 1)
    await tell(client, NoticeBoard.FAULTS, ["relay/poison"])
    assert await read(client, NoticeBoard.FAULTS) == ("relay/poison",)

    async with asyncio.timeout(FADING_SECONDS):
        while True:
            if await read(client, NoticeBoard.FAULTS) == ():
                break
            await asyncio.sleep(0.05)

    async with asyncio.timeout(FADING_SECONDS):
        while True:
            if not await client.exists(NoticeBoard.FAULTS):
                break
            await asyncio.sleep(0.05)


async def test_who_keeps_telling_stays_on_the_board_until_it_stops(client: Redis) -> None:
    stopping = asyncio.Event()
    telling = asyncio.create_task(keep_telling(client, NoticeBoard.BREAKERS, lambda: ["partner=open"], stopping))
    async with asyncio.timeout(FADING_SECONDS):
        while True:
            if await read(client, NoticeBoard.BREAKERS) == ("partner=open",):
                break
            await asyncio.sleep(0.05)

    stopping.set()

    async with asyncio.timeout(FADING_SECONDS):
        await telling


async def test_a_board_is_never_read_without_end(client: Redis) -> None:
    await tell(client, NoticeBoard.FAULTS, [f"process-{number}/fault" for number in range(MOST_NOTICES + 50)])

    found = await read(client, NoticeBoard.FAULTS)

    assert found is not None
    assert len(found) == MOST_NOTICES


async def test_without_redis_nothing_is_known_soon_and_nobody_fails() -> None:
    client = connect(RedisSettings(address=f"127.0.0.1:{free_port()}"))
    async with asyncio.timeout(2 * ANSWER_SECONDS + 1):
        await tell(client, NoticeBoard.FAULTS, ["relay/poison"])
        assert await read(client, NoticeBoard.FAULTS) is None
    await client.aclose()
