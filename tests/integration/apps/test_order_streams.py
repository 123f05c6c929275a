"""Streams of orders over real connections: what they tell, how many there may be, and how they end (R5)."""

import asyncio
import json
import resource
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from sqlalchemy import update

from doorbuster.infra.batches.watched_reads import MOST_WATCHES
from doorbuster.infra.mysql.migrations import connected
from doorbuster.orders.tables import orders
from doorbuster.settings import Settings
from tests.integration.apps.storefront import Storefront, running_storefront, supply
from tests.integration.polling import seconds_until

pytestmark = pytest.mark.integration

BODY = {"lines": [{"product_id": 1, "quantity": 2}]}
# A stream looks every quarter of a second.
EVENT_SECONDS = 10.0
# So many reads of one user may wait at once.
OPENED_AT_ONCE = 8


@pytest.fixture
def many_files() -> Iterator[None]:
    """As many open files as this process and those that it starts may have: each stream is one on either side."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def supplied(empty_tables: Settings) -> Settings:
    supply(empty_tables)
    return empty_tables


@pytest.fixture
def storefront(supplied: Settings, tmp_path: Path) -> Iterator[Storefront]:
    with running_storefront(supplied, tmp_path) as running:
        yield running


def placed(client: httpx.Client) -> str:
    response = client.post("/api/v1/orders", json=BODY, headers={"Idempotency-Key": "one"})
    location: str = response.raise_for_status().headers["location"]
    return location


def pay(settings: Settings) -> None:
    """Make every order PAID, as the flow manager does."""
    with connected(settings.mysql) as connection:
        connection.execute(update(orders).values(status="PAID", finished_at=datetime.now(UTC)))


def next_event(lines: Iterator[str]) -> dict[str, object]:
    data = next(line for line in lines if line.startswith("data: "))
    document: dict[str, object] = json.loads(data.removeprefix("data: "))
    return document


def test_a_stream_sees_pending_and_paid_and_ends(supplied: Settings, storefront: Storefront) -> None:
    with storefront.client(1) as buyer:
        location = placed(buyer)
        with buyer.stream("GET", f"{location}/events", timeout=EVENT_SECONDS) as response:
            lines = response.iter_lines()
            first = next_event(lines)
            pay(supplied)
            second = next_event(lines)
            rest = [line for line in lines if line.startswith("data: ")]
        again = buyer.get(f"{location}/events", headers={"Last-Event-ID": "PAID"})

    assert response.headers["content-type"].startswith("text/event-stream")
    assert (first["status"], second["status"], rest) == ("PENDING", "PAID", [])
    assert again.status_code == 204


def test_another_buyers_order_has_no_stream(storefront: Storefront) -> None:
    with storefront.client(1) as buyer, storefront.client(2) as other:
        assert other.get(f"{placed(buyer)}/events").status_code == 404


def test_sigterm_ends_streams_at_once(storefront: Storefront) -> None:
    with storefront.client(1) as buyer:
        location = placed(buyer)
        with buyer.stream("GET", f"{location}/events", timeout=EVENT_SECONDS) as response:
            lines = response.iter_lines()
            next_event(lines)
            assert storefront.api.stop() == 0
            # The answer ends as it should; one that is cut off would raise an error here.
            assert [line for line in lines if line.startswith("data: ")] == []

    assert "graceful shutdown exceeded" not in storefront.api.logs()


@pytest.mark.usefixtures("many_files")
def test_a_thousand_streams_are_served_and_one_more_is_told_to_poll(supplied: Settings, tmp_path: Path) -> None:
    with running_storefront(supplied, tmp_path) as storefront, storefront.client(1) as buyer:
        location = placed(buyer)
        asyncio.run(_with_a_thousand(storefront, f"{location}/events", storefront.token(1)))

        # All left: there is room again.
        def is_served() -> bool:
            with buyer.stream("GET", f"{location}/events", timeout=EVENT_SECONDS) as response:
                return response.status_code == 200

        seconds_until(is_served, within_seconds=EVENT_SECONDS, what="there is room for a stream")


async def _with_a_thousand(storefront: Storefront, path: str, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    limits = httpx.Limits(max_connections=MOST_WATCHES + 10, max_keepalive_connections=0)
    async with httpx.AsyncClient(
        base_url=storefront.address, headers=headers, limits=limits, timeout=60, trust_env=False
    ) as client:

        async def opened() -> httpx.Response:
            return await client.send(client.build_request("GET", path), stream=True)

        responses: list[httpx.Response] = []
        try:
            while len(responses) < MOST_WATCHES:
                responses += await asyncio.gather(*(opened() for _ in range(OPENED_AT_ONCE)))
            assert {response.status_code for response in responses} == {200}
            refused = await client.get(path)
            product = await client.get("/api/v1/products/1")
        finally:
            await asyncio.gather(*(response.aclose() for response in responses))
    assert (refused.status_code, refused.json()["code"]) == (503, "too-many-streams")
    assert refused.headers["retry-after"] == "5"
    assert product.status_code == 200
