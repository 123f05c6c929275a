import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from click.testing import CliRunner

from doorbuster.infra.partner import HttpPartner
from doorbuster.jobs.partner import LARGEST_BODY_BYTES, REMEMBERED_KEYS, Behaviour, Partner, application, main
from doorbuster.kernel.ids import IdFactory, OrderId
from tests.unit.doorbuster.consumers.running import until

ORDER = OrderId(IdFactory(lambda: 1, lambda bits: 0)())
ADDRESS = "http://partner/orders"


def stub(failure_rate: float = 0.0) -> Partner:
    return Partner(Behaviour(failure_rate=failure_rate), chance=lambda: 0.5)


def transport(partner: Partner) -> httpx.ASGITransport:
    return httpx.ASGITransport(application(partner))


async def test_an_order_that_comes_again_is_counted_apart() -> None:
    partner = stub()
    async with HttpPartner(ADDRESS, transport(partner)) as ours:
        assert [await ours.deliver(ORDER, {"total": 1}) for _ in range(2)] == [None, None]
    async with httpx.AsyncClient(transport=transport(partner)) as client:
        counts = (await client.get("http://partner/counts")).json()

    assert counts == {"orders": 1, "repeated": 1, "failed": 0, "hung": 0}


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


async def test_it_can_be_made_slow_and_failing_while_it_runs_and_well_again() -> None:
    partner = stub()
    async with httpx.AsyncClient(transport=transport(partner), base_url="http://partner") as client:
        changed = await client.put("/behaviour", json={"failure_rate": 1, "delay_seconds": 0.01})
        failed = await client.post("/orders", headers={"Idempotency-Key": "k"}, content=b"{}")
        shown = (await client.get("/behaviour")).json()
        await client.put("/behaviour", json={})
        taken = await client.post("/orders", headers={"Idempotency-Key": "k"}, content=b"{}")

    assert changed.json() == shown == {"delay_seconds": 0.01, "failure_rate": 1.0, "hang": False}
    assert (failed.status_code, taken.status_code, partner.orders) == (500, 204, 1)


async def test_a_partner_that_hangs_has_taken_the_order_and_its_repetition_is_counted() -> None:
    partner = stub()
    partner.behaviour = Behaviour(hang=True)
    async with HttpPartner(ADDRESS, transport(partner), attempt_seconds=0.02) as ours:
        error = await ours.deliver(ORDER, {})
        partner.behaviour = Behaviour()
        assert await ours.deliver(ORDER, {}) is None

    assert error == "TimeoutError: no answer within 0.02 s"
    assert (partner.orders, partner.repeated, partner.hung) == (1, 1, 1)


async def test_what_hangs_is_answered_when_the_behaviour_changes() -> None:
    partner = stub()
    partner.behaviour = Behaviour(hang=True)
    async with (
        httpx.AsyncClient(transport=transport(partner), base_url="http://partner") as client,
        asyncio.TaskGroup() as tasks,
    ):
        hanging = tasks.create_task(client.post("/orders", headers={"Idempotency-Key": "k"}, content=b"{}"))
        await until(lambda: partner.hung == 1, "the order hangs")
        await client.put("/behaviour", json={})

    assert hanging.result().status_code == 204


@pytest.mark.parametrize("body", [b"{", b'{"failure_rate": 2}', b'{"delay_seconds": 61}', b'{"hang": 1}', b'{"x": 1}'])
async def test_a_behaviour_that_cannot_be_is_refused_and_nothing_changes(body: bytes) -> None:
    partner = stub()
    async with httpx.AsyncClient(transport=transport(partner), base_url="http://partner") as client:
        refused = await client.put("/behaviour", content=body)

    assert (refused.status_code, partner.behaviour) == (422, Behaviour())


def test_the_environment_sets_the_behaviour_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[object] = []
    monkeypatch.setattr("doorbuster.jobs.partner.uvicorn.run", lambda app, **_: started.append(app))
    made: list[Behaviour] = []

    def partner(behaviour: Behaviour, **_: object) -> Partner:
        made.append(behaviour)
        return stub()

    monkeypatch.setattr("doorbuster.jobs.partner.Partner", partner)
    environment = {
        "DOORBUSTER_PARTNER_DELAY_SECONDS": "1.5",
        "DOORBUSTER_PARTNER_FAILURE_RATE": "0.25",
        "DOORBUSTER_PARTNER_HANG": "true",
    }

    result = CliRunner().invoke(main, [], env=environment, auto_envvar_prefix="DOORBUSTER_PARTNER")

    assert (result.exit_code, len(started)) == (0, 1)
    assert made == [Behaviour(delay_seconds=1.5, failure_rate=0.25, hang=True)]


def test_keys_are_forgotten_rather_than_memory_filled() -> None:
    partner = stub()
    for number in range(REMEMBERED_KEYS + 10):
        partner._note(str(number))

    assert len(partner._seen) == REMEMBERED_KEYS
