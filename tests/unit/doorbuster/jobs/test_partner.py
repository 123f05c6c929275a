import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from doorbuster.infra.partner import HttpPartner
from doorbuster.jobs.partner import LARGEST_BODY_BYTES, REMEMBERED_KEYS, Partner, application
from doorbuster.kernel.ids import IdFactory, OrderId

ORDER = OrderId(IdFactory(lambda: 1, lambda bits: 0)())
ADDRESS = "http://partner/orders"


def stub(failure_rate: float = 0.0) -> Partner:
    return Partner(delay_seconds=0, failure_rate=failure_rate, chance=lambda: 0.5)


def transport(partner: Partner) -> httpx.ASGITransport:
    return httpx.ASGITransport(application(partner))


async def test_an_order_that_comes_again_is_counted_apart() -> None:
    partner = stub()
    async with HttpPartner(ADDRESS, transport(partner)) as ours:
        assert [await ours.deliver(ORDER, {"total": 1}) for _ in range(2)] == [None, None]
    async with httpx.AsyncClient(transport=transport(partner)) as client:
        counts = (await client.get("http://partner/counts")).json()

    assert counts == {"orders": 1, "repeated": 1, "failed": 0}


async def test_a_failure_on_purpose_is_told_and_nothing_is_counted() -> None:
    partner = stub(failure_rate=0.6)
    async with HttpPartner(ADDRESS, transport(partner)) as ours:
        assert await ours.deliver(ORDER, {}) == "HTTP 500"

    assert (partner.orders, partner.failed) == (0, 1)


@pytest.mark.parametrize(
    ("headers", "size", "status"), [({}, 1, 400), ({"Idempotency-Key": "k"}, LARGEST_BODY_BYTES + 1, 413)]
)
async def test_bad_requests_are_refused(headers: dict[str, str], size: int, status: int) -> None:
    async with httpx.AsyncClient(transport=transport(stub())) as client:
        assert (await client.post(ADDRESS, headers=headers, content=b"x" * size)).status_code == status


async def test_a_partner_out_of_reach_is_a_failure_with_its_reason() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    async with HttpPartner(ADDRESS, httpx.MockTransport(refuse)) as ours:
        assert await ours.deliver(ORDER, {}) == "ConnectError: refused"


class Dripping(httpx.AsyncByteStream):
    """An answer that never ends and never pauses for long."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            yield b"x"
            await asyncio.sleep(0.005)


async def test_an_answer_that_drips_is_given_up_in_time() -> None:
    dripping = httpx.MockTransport(lambda _: httpx.Response(200, stream=Dripping()))
    async with HttpPartner(ADDRESS, dripping, attempt_seconds=0.05) as ours, asyncio.timeout(2):
        assert await ours.deliver(ORDER, {}) == "TimeoutError: no answer within 0.05 s"


def test_keys_are_forgotten_rather_than_memory_filled() -> None:
    partner = stub()
    for number in range(REMEMBERED_KEYS + 10):
        partner._note(str(number))

    assert len(partner._seen) == REMEMBERED_KEYS
