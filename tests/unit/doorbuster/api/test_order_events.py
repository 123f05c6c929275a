"""Streams of orders: what a reader sees, and every way in which a stream ends."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from uuid import UUID

import httpx
import pytest
from prometheus_client import REGISTRY
from starlette.types import ASGIApp, Receive, Scope, Send

from doorbuster.api import middleware
from doorbuster.api.app import create_app
from doorbuster.api.middleware import Bounded
from doorbuster.api.order_events import OrderEvents
from doorbuster.contracts.bodies import OrderLine
from doorbuster.kernel.ids import OrderId, UserId
from doorbuster.orders.model import Order, OrderStatus
from tests.unit.doorbuster.api.fakes import NOW, World, headers
from tests.unit.doorbuster.api.streams import SOON, Reader, following

ID = OrderId(UUID(int=7))
PATH = f"/api/v1/orders/{ID}/events"
PENDING = Order(
    id=ID,
    user_id=UserId(1),
    lines=(OrderLine(product_id=1, quantity=2, unit_price=100),),
    total=200,
    created_at=NOW,
)
DISCOUNTED = replace(PENDING, coupon_id=7, discount=50)
PAID = replace(PENDING, status=OrderStatus.PAID, finished_at=NOW)
FAILED = replace(PENDING, status=OrderStatus.FAILED, failure_reason="out-of-stock", finished_at=NOW)
COMPENSATED = replace(FAILED, compensated_at=NOW)
OWN = headers(key=None)


@pytest.fixture
def pending(world: World) -> World:
    world.orders.orders = [PENDING]
    return world


@pytest.fixture
async def app(pending: World) -> AsyncIterator[ASGIApp]:
    yield create_app(pending.use_cases())
    await pending.order_watch.close()


def becomes(world: World, order: Order) -> None:
    world.orders.orders = [order]


def ended(reason: str) -> float:
    return REGISTRY.get_sample_value("order_streams_ended_total", {"reason": reason}) or 0.0


def in_progress() -> float:
    return REGISTRY.get_sample_value("order_streams") or 0.0


async def event(reader: Reader) -> tuple[str, dict[str, object]]:
    """Return the id and the document of the next event."""
    name, state, data = (await reader.chunk()).removesuffix("\n\n").split("\n")
    assert name == "event: order"
    document: dict[str, object] = json.loads(data.removeprefix("data: "))
    return state.removeprefix("id: "), document


async def opened(reader: Reader) -> None:
    assert await reader.chunk() == "retry: 3000\n\n"


async def test_a_stream_goes_from_pending_to_paid_and_ends(pending: World, app: ASGIApp) -> None:
    before = ended("final")
    async with following(app, PATH, OWN) as (reader, task):
        await opened(reader)
        state, document = await event(reader)
        assert (state, document["status"]) == ("PENDING", "PENDING")

        becomes(pending, PAID)
        await pending.order_watch.look()

        state, document = await event(reader)
        async with asyncio.timeout(SOON):
            await asyncio.shield(task)
    assert (state, document) == (
        "PAID",
        {
            "id": str(ID),
            "status": "PAID",
            "total": 200,
            "coupon_id": None,
            "discount": 0,
            "to_pay": 200,
            "lines": [{"product_id": 1, "quantity": 2, "unit_price": 100}],
            "created_at": "2026-11-25T20:00:00Z",
            "failure_reason": None,
            "finished_at": "2026-11-25T20:00:00Z",
            "compensated_at": None,
        },
    )
    assert (reader.status, reader.complete) == (200, True)
    assert reader.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert reader.headers["cache-control"] == "no-store"
    assert "content-length" not in reader.headers
    assert ended("final") == before + 1


async def test_a_failed_order_is_followed_until_it_is_compensated(pending: World, app: ASGIApp) -> None:
    async with following(app, PATH, OWN) as (reader, _):
        await opened(reader)
        seen = [(await event(reader))[0]]
        for order in (FAILED, COMPENSATED):
            becomes(pending, order)
            await pending.order_watch.look()
            seen.append((await event(reader))[0])

    assert seen == ["PENDING", "FAILED", "COMPENSATED"]
    assert reader.complete


@pytest.mark.parametrize("order", [PAID, COMPENSATED])
async def test_an_order_that_is_settled_is_one_event(pending: World, app: ASGIApp, order: Order) -> None:
    becomes(pending, order)

    async with following(app, PATH, OWN) as (reader, task):
        async with asyncio.timeout(SOON):
            await asyncio.shield(task)
        await opened(reader)
        assert (await event(reader))[1]["status"] == order.status

    assert reader.complete


async def test_who_comes_back_is_told_only_what_is_new(pending: World, app: ASGIApp) -> None:
    async with following(app, PATH, OWN | {"Last-Event-ID": "PENDING"}) as (reader, _):
        await opened(reader)
        becomes(pending, PAID)
        await pending.order_watch.look()

        assert (await event(reader))[0] == "PAID"


async def test_who_missed_the_discount_is_told_of_it(pending: World, app: ASGIApp) -> None:
    becomes(pending, DISCOUNTED)

    async with following(app, PATH, OWN | {"Last-Event-ID": "PENDING"}) as (reader, _):
        await opened(reader)
        state, document = await event(reader)

    assert (state, document["status"], document["to_pay"]) == ("PENDING-DISCOUNTED", "PENDING", 150)


async def test_who_has_seen_the_discount_is_told_only_what_follows(pending: World, app: ASGIApp) -> None:
    becomes(pending, DISCOUNTED)

    async with following(app, PATH, OWN | {"Last-Event-ID": "PENDING-DISCOUNTED"}) as (reader, _):
        await opened(reader)
        becomes(pending, replace(DISCOUNTED, status=OrderStatus.PAID, finished_at=NOW))
        await pending.order_watch.look()

        assert (await event(reader))[0] == "PAID"


async def test_who_has_seen_the_end_is_told_not_to_come_back(client: httpx.AsyncClient, world: World) -> None:
    becomes(world, COMPENSATED)

    response = await client.get(PATH, headers=OWN | {"Last-Event-ID": "COMPENSATED"})

    assert (response.status_code, response.content) == (204, b"")


@pytest.mark.parametrize("path", [PATH, f"/api/v1/orders/{UUID(int=8)}/events"])
async def test_another_buyers_order_is_as_unknown_as_none(client: httpx.AsyncClient, world: World, path: str) -> None:
    world.orders.orders = [replace(PENDING, user_id=UserId(2))]

    response = await client.get(path, headers=OWN)

    assert (response.status_code, response.json()["code"]) == (404, "not-found")


async def test_more_streams_than_the_bound_are_told_to_poll(app: ASGIApp) -> None:
    # The fakes' bound is two.
    async with AsyncExitStack() as stack:
        for _ in range(2):
            reader, _ = await stack.enter_async_context(following(app, PATH, OWN))
            await opened(reader)
        assert in_progress() == 2
        refused, task = await stack.enter_async_context(following(app, PATH, OWN))
        async with asyncio.timeout(SOON):
            await asyncio.shield(task)

    problem = json.loads(await refused.chunk())
    assert (refused.status, problem["code"], refused.headers["retry-after"]) == (503, "too-many-streams", "5")
    assert "Ask for the order itself" in problem["detail"]
    assert in_progress() == 0


async def test_a_client_that_leaves_ends_its_stream(app: ASGIApp) -> None:
    before = ended("left")
    async with following(app, PATH, OWN) as (reader, task):
        await opened(reader)
        reader.leave()
        async with asyncio.timeout(SOON):
            await asyncio.shield(task)

    assert (ended("left"), in_progress()) == (before + 1, 0)


async def test_the_end_of_the_process_ends_streams_and_refuses_new_ones(pending: World, app: ASGIApp) -> None:
    before = ended("shutdown")
    async with following(app, PATH, OWN) as (reader, task):
        await opened(reader)
        pending.order_watch.end()
        async with asyncio.timeout(SOON):
            await asyncio.shield(task)
    async with following(app, PATH, OWN) as (late, _):
        problem = json.loads(await late.chunk())

    assert (reader.complete, ended("shutdown")) == (True, before + 1)
    assert (late.status, problem["code"]) == (503, "overloaded")


def stream(world: World, **limits: float) -> OrderEvents:
    return OrderEvents(PENDING, partial(world.order_watch.watching, ID, PENDING), seen=None, **limits)


async def test_a_silent_stream_says_that_it_is_alive_and_ends_in_time(pending: World) -> None:
    before = ended("time")
    async with following(stream(pending, heartbeat_seconds=0.01, longest_seconds=0.05), PATH, {}) as (reader, task):
        await opened(reader)
        await event(reader)
        assert await reader.chunk() == ": nothing new\n\n"
        async with asyncio.timeout(SOON):
            await asyncio.shield(task)

    assert (reader.complete, ended("time")) == (True, before + 1)


async def test_a_reader_that_does_not_read_is_dropped(pending: World) -> None:
    before = ended("slow")
    async with following(stream(pending, send_seconds=0.01), PATH, {}, reads=False) as (reader, task):
        async with asyncio.timeout(SOON):
            await asyncio.shield(task)

    assert (reader.complete, ended("slow"), in_progress()) == (False, before + 1, 0)


async def test_a_stream_takes_no_place_of_other_requests(pending: World) -> None:
    app = Bounded(create_app(pending.use_cases()), most_requests=1)
    async with following(app, PATH, OWN) as (reader, _):
        await opened(reader)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://doorbuster.test") as client:
            answers = [await client.get("/api/v1/products/1") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]


async def test_a_place_is_left_once_whatever_happens() -> None:
    async def breaks(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
        raise RuntimeError(scope["path"], receive)

    app = Bounded(breaks, most_requests=1)
    for _ in range(3):
        with pytest.raises(RuntimeError):
            async with following(app, PATH, OWN):
                pass

    assert app._open == 0


async def test_a_streams_duration_is_the_time_until_it_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [10.0]
    monkeypatch.setattr(middleware, "perf_counter", lambda: now[0])

    async def follows(_scope: Scope, _receive: Receive, send: Send) -> None:
        now[0] = 10.5
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
        now[0] = 300.0
        await send({"type": "http.response.body", "body": b""})

    before = unmatched_seconds()
    async with following(middleware.TraceAndMeasure(follows), PATH, OWN):
        pass

    assert unmatched_seconds() - before == pytest.approx(0.5)


def unmatched_seconds() -> float:
    labels = {"route": "unmatched", "method": "GET", "status_class": "2xx"}
    return REGISTRY.get_sample_value("http_server_request_duration_seconds_sum", labels) or 0.0
