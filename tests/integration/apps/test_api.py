"""The API as a process of its own on real servers: what it writes, what it refuses, how it ends (R1, R17)."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from doorbuster.contracts.bodies import OrderCreated
from doorbuster.contracts.messages import decode
from doorbuster.infra.mysql.migrations import connected
from doorbuster.infra.mysql.schema import METADATA
from doorbuster.infra.mysql.tables import outbox
from doorbuster.points.tables import point_entries
from doorbuster.settings import Settings
from tests.integration.apps.storefront import POINTS, Storefront, running_storefront, supply
from tests.integration.polling import seconds_until

pytestmark = pytest.mark.integration

ORDERS = "/api/v1/orders"
CHARGES = "/api/v1/points/charges"
BODY = {"lines": [{"product_id": 1, "quantity": 2}, {"product_id": 2, "quantity": 1}]}
JSON = {"Content-Type": "application/json"}
# Nobody listens on the lowest ports.
DEAD = "127.0.0.1:1"


def key(name: str) -> dict[str, str]:
    return {"Idempotency-Key": name}


@pytest.fixture
def supplied(empty_tables: Settings) -> Settings:
    supply(empty_tables)
    return empty_tables


@pytest.fixture
def storefront(supplied: Settings, tmp_path: Path) -> Iterator[Storefront]:
    with running_storefront(supplied, tmp_path) as running:
        yield running


@pytest.fixture
def buyer(storefront: Storefront) -> Iterator[httpx.Client]:
    with storefront.client(1) as client:
        yield client


def rows_of(settings: Settings, *names: str) -> dict[str, list[Any]]:
    with connected(settings.mysql) as connection:
        return {name: list(connection.execute(select(METADATA.tables[name]))) for name in names}


def count_all(settings: Settings) -> dict[str, int]:
    return {name: len(rows) for name, rows in rows_of(settings, *METADATA.tables).items()}


def test_an_order_is_stored_with_its_saga_its_message_and_its_answer(supplied: Settings, buyer: httpx.Client) -> None:
    response = buyer.post(ORDERS, json=BODY, headers=key("one"))

    assert response.status_code == 202
    found = rows_of(supplied, "orders", "order_sagas", "outbox", "idempotency_keys")
    (order,), (saga,), (message,), (stored,) = (found[name] for name in found)
    assert (str(order.id), order.user_id, order.total, order.status) == (response.json()["id"], 1, 450, "PENDING")
    assert saga.order_id == order.id
    body = decode(message.payload).body
    assert isinstance(body, OrderCreated)
    assert (body.order_id, body.total, body.user_id) == (order.id, 450, 1)
    assert (message.topic, message.published_at) == ("order-created", None)
    assert (stored.status, bytes(stored.answer)) == (202, response.content)
    shown = buyer.get(response.headers["location"])
    assert (shown.status_code, shown.json()["status"]) == (200, "PENDING")


def test_a_repeat_gets_the_stored_bytes_and_writes_nothing(supplied: Settings, buyer: httpx.Client) -> None:
    first = buyer.post(ORDERS, json=BODY, headers=key("one"))
    before = count_all(supplied)

    again = buyer.post(ORDERS, json=BODY, headers=key("one"))
    other = buyer.post(ORDERS, json={"lines": [{"product_id": 1, "quantity": 1}]}, headers=key("one"))

    assert (again.status_code, again.content) == (202, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers["location"] == first.headers["location"]
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")
    assert count_all(supplied) == before


def test_many_repeats_at_once_have_one_effect(supplied: Settings, buyer: httpx.Client) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: buyer.post(CHARGES, json={"amount": 5}, headers=key("c")), range(24)))

    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} <= {"in-flight"}
    assert buyer.get("/api/v1/points").json() == {"balance": POINTS + 5}
    assert len(rows_of(supplied, point_entries.name)[point_entries.name]) == 2


def test_what_is_refused_leaves_no_row(supplied: Settings, storefront: Storefront, buyer: httpx.Client) -> None:
    before = count_all(supplied)

    answers = [
        buyer.post(ORDERS, content=b"{", headers=key("a") | JSON),
        buyer.post(ORDERS, json={"lines": [{"product_id": 1, "quantity": 0}]}, headers=key("b")),
        buyer.post(ORDERS, json={"lines": [{"product_id": 99, "quantity": 1}]}, headers=key("c")),
        buyer.post(ORDERS, json=BODY),
        buyer.post(ORDERS, content=(b" " * 1024 for _ in range(65)), headers=key("d") | JSON),
        buyer.post(CHARGES, json={"amount": 10**12}, headers=key("e")),
    ]
    with storefront.client(None) as nobody:
        answers.append(nobody.post(ORDERS, json=BODY, headers=key("f")))

    assert [answer.status_code for answer in answers] == [400, 422, 422, 400, 413, 422, 401]
    assert {answer.headers["content-type"] for answer in answers} == {"application/problem+json"}
    assert answers[2].json()["errors"][0]["field"] == "lines[0].product_id"
    assert count_all(supplied) == before


def test_another_buyers_order_is_unknown(storefront: Storefront, buyer: httpx.Client) -> None:
    location = buyer.post(ORDERS, json=BODY, headers=key("one")).headers["location"]

    with storefront.client(2) as other:
        assert other.get(location).status_code == 404
        assert other.get(ORDERS).json()["orders"] == []


def test_with_all_servers_health_is_ok(storefront: Storefront) -> None:
    answer = storefront.health_that_says(mysql="ok", kafka="ok", redis="ok")

    assert (answer.status_code, answer.json()["status"]) == (200, "ok")
    assert answer.json()["catalogue"] == {"products": 2, "minimum": 1}


def test_an_empty_catalogue_fails_health_and_not_readiness(empty_tables: Settings, tmp_path: Path) -> None:
    with running_storefront(empty_tables, tmp_path) as storefront:
        answer = storefront.health_that_says(mysql="ok", kafka="ok", redis="ok")
        storefront.api.wait_ready()

    assert (answer.status_code, answer.json()["status"]) == (503, "failed")
    assert answer.json()["catalogue"] == {"products": 0, "minimum": 1}


@pytest.mark.parametrize(
    ("dependency", "changes"),
    [
        ("kafka", {"DOORBUSTER_KAFKA__SERVERS": DEAD}),
        ("redis", {"DOORBUSTER_REDIS__ADDRESS": DEAD, "DOORBUSTER_REDIS__SENTINELS": ""}),
    ],
)
def test_without_kafka_or_redis_orders_are_accepted_and_health_is_degraded(
    supplied: Settings, tmp_path: Path, dependency: str, changes: dict[str, str]
) -> None:
    with running_storefront(supplied, tmp_path, changes) as storefront, storefront.client(1) as buyer:
        assert buyer.post(ORDERS, json=BODY, headers=key("one")).status_code == 202
        answer = storefront.health_that_says(**{dependency: "gone"})

    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")


def test_without_mysql_writes_and_reads_are_refused_at_once(supplied: Settings, tmp_path: Path) -> None:
    changes = {"DOORBUSTER_MYSQL__HOSTS": "127.0.0.1", "DOORBUSTER_MYSQL__PORT": "1"}
    with running_storefront(supplied, tmp_path, changes) as storefront, storefront.client(1) as buyer:
        written = buyer.post(ORDERS, json=BODY, headers=key("one"))
        read = buyer.get("/api/v1/points")
        answer = storefront.health_that_says(mysql="gone")
        storefront.api.wait_ready()

    assert (written.status_code, written.json()["code"]) == (503, "not-accepted")
    assert (read.status_code, read.json()["code"]) == (503, "not-accepted")
    assert "retry-after" in written.headers
    assert (answer.status_code, answer.json()["status"]) == (503, "failed")


def test_while_messages_wait_for_too_long_only_repeats_are_answered(supplied: Settings, buyer: httpx.Client) -> None:
    first = buyer.post(ORDERS, json=BODY, headers=key("one"))
    with connected(supplied.mysql) as connection:
        connection.execute(outbox.update().values(created_at=datetime.now(UTC) - timedelta(seconds=61)))

    refused: list[httpx.Response] = []

    def is_refused() -> bool:
        refused.append(buyer.post(ORDERS, json=BODY, headers=key(f"new-{len(refused)}")))
        return refused[-1].status_code == 503

    seconds_until(is_refused, within_seconds=5, what="orders are refused")
    before = count_all(supplied)
    again = buyer.post(ORDERS, json=BODY, headers=key("one"))
    buyer.post(ORDERS, json=BODY, headers=key("another"))

    assert refused[-1].json()["code"] == "broker-unavailable"
    assert (again.status_code, again.content) == (202, first.content)
    assert count_all(supplied) == before
    assert buyer.get("/api/v1/health").json()["outbox"]["accepts_orders"] is False


def test_a_request_that_is_open_at_sigterm_is_answered(
    supplied: Settings, storefront: Storefront, buyer: httpx.Client
) -> None:
    stopping = threading.Thread(target=storefront.api.stop)

    def body() -> Iterator[bytes]:
        yield b'{"amount": '
        with storefront.client(None) as other:
            # After two round trips beside it the API has certainly read what was sent before.
            for _ in range(2):
                other.get("/api/v1/products/1")
        stopping.start()
        seconds_until(storefront.is_draining, within_seconds=4, what="SIGTERM has arrived")
        yield b"5}"

    answer = buyer.post(CHARGES, content=body(), headers=key("c") | JSON)
    stopping.join(timeout=30)

    assert answer.status_code == 201
    assert storefront.api.stop() == 0
    assert rows_of(supplied, "idempotency_keys")["idempotency_keys"][0].status == 201
    assert '"event":"api_ended"' in storefront.api.logs()
