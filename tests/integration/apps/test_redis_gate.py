"""The gate in Redis: what every gate promises, and what only this one can meet."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from doorbuster.coupons.issue_ports import GateState, GateUnavailable
from doorbuster.coupons.redis_gate import KEPT, RedisGate
from doorbuster.infra.redis import connect
from doorbuster.settings import RedisSettings, Settings
from tests.integration.apps.patient_redis import patient
from tests.ports import free_port
from tests.unit.doorbuster.coupons.gate_contract import GateContract, asked, claims, opened, state
from tests.unit.doorbuster.coupons.issues import COUPON, coupon

pytestmark = pytest.mark.integration

KEY = f"coupon-gate:{{{COUPON}}}"


@pytest.fixture
async def client(settings: Settings) -> AsyncIterator[Redis]:
    client = patient(settings.redis)
    await client.flushall()
    yield client
    await client.aclose()


@pytest.fixture
def gate(client: Redis) -> RedisGate:
    # A machine that does other things as well is no reason to find a gate slow here.
    return RedisGate(client, call_seconds=5)


class TestRedisGate(GateContract):
    """All of them."""


async def test_a_gate_goes_away_a_day_after_its_coupon(client: Redis, gate: RedisGate) -> None:
    row = coupon()
    await opened(gate, row)
    await claims(gate, 1)

    expected = int((row.valid_until + KEPT).timestamp() * 1000)
    assert [await client.pexpiretime(key) for key in (KEY, f"{KEY}:users")] == [expected, expected]


async def test_a_lost_gate_is_absent(client: Redis, gate: RedisGate) -> None:
    await opened(gate, coupon())
    await client.flushall()

    assert await state(gate) is GateState.ABSENT


async def test_scripts_that_redis_has_forgotten_are_sent_again(client: Redis, gate: RedisGate) -> None:
    await opened(gate, coupon())
    await state(gate)
    await client.script_flush()

    assert await state(gate) is GateState.OPEN


@pytest.mark.parametrize(
    "value", [{"epoch": "1", "state": "ajar", "total": "5"}, {"epoch": "1", "state": "open"}, None]
)
async def test_what_is_no_gate_is_no_answer(client: Redis, gate: RedisGate, value: dict[str, str] | None) -> None:
    if value is None:
        await client.set(KEY, "something else")
    else:
        await client.hset(KEY, items=[word for pair in value.items() for word in pair])

    with pytest.raises(GateUnavailable):
        await gate.claim([asked(1)])


async def test_nobody_there_is_an_answer_within_its_time() -> None:
    client = connect(RedisSettings(address=f"127.0.0.1:{free_port()}"))
    with pytest.raises(GateUnavailable):
        await RedisGate(client).claim([asked(1)])
    await client.aclose()


async def test_a_silent_server_is_given_up() -> None:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    client = connect(RedisSettings(address=f"127.0.0.1:{server.sockets[0].getsockname()[1]}"))

    with pytest.raises(GateUnavailable):
        await asyncio.wait_for(RedisGate(client).claim([asked(1)]), 5)
    await client.aclose()
    server.close()
