"""Whatever is wrong with a request: a 4xx problem document that names the field, and nothing done."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.unit.doorbuster.api.fakes import World, headers

ORDERS = "/api/v1/orders"
CHARGES = "/api/v1/points/charges"
JSON = {"Content-Type": "application/json"}


def lines(**changes: Any) -> dict[str, Any]:
    return {"lines": [{"product_id": 1, "quantity": 2} | changes]}


BODIES: list[tuple[str, Any, int, str]] = [
    (ORDERS, {}, 422, "lines"),
    (ORDERS, [], 422, "body"),
    (ORDERS, None, 422, "body"),
    (ORDERS, {"lines": []}, 422, "lines"),
    (ORDERS, {"lines": "x"}, 422, "lines"),
    (ORDERS, {"lines": [None]}, 422, "lines[0]"),
    (ORDERS, lines() | {"total": 1}, 422, "total"),
    (ORDERS, lines() | {"user_id": 2}, 422, "user_id"),
    (ORDERS, lines(unit_price=1), 422, "lines[0].unit_price"),
    (ORDERS, lines(quantity=0), 422, "lines[0].quantity"),
    (ORDERS, lines(quantity=-1), 422, "lines[0].quantity"),
    (ORDERS, lines(quantity=1001), 422, "lines[0].quantity"),
    (ORDERS, lines(quantity=10**30), 422, "lines[0].quantity"),
    (ORDERS, lines(quantity=True), 422, "lines[0].quantity"),
    (ORDERS, lines(quantity=1.0), 422, "lines[0].quantity"),
    (ORDERS, lines(quantity="1"), 422, "lines[0].quantity"),
    (ORDERS, lines(quantity=None), 422, "lines[0].quantity"),
    (ORDERS, lines(product_id=0), 422, "lines[0].product_id"),
    (ORDERS, lines(product_id=2**63), 422, "lines[0].product_id"),
    (ORDERS, lines(product_id=False), 422, "lines[0].product_id"),
    (ORDERS, {"lines": [{"product_id": 1}]}, 422, "lines[0].quantity"),
    (ORDERS, {"lines": [{"product_id": n, "quantity": 1} for n in range(1, 102)]}, 422, "lines"),
    (CHARGES, {}, 422, "amount"),
    (CHARGES, {"amount": 0}, 422, "amount"),
    (CHARGES, {"amount": -5}, 422, "amount"),
    (CHARGES, {"amount": 10_000_001}, 422, "amount"),
    (CHARGES, {"amount": 1.5}, 422, "amount"),
    (CHARGES, {"amount": True}, 422, "amount"),
    (CHARGES, {"amount": 1, "user_id": 2}, 422, "user_id"),
]


@pytest.mark.parametrize(("path", "body", "status", "field"), BODIES)
async def test_a_wrong_body_names_its_field_and_does_nothing(
    client: httpx.AsyncClient, world: World, path: str, body: Any, status: int, field: str
) -> None:
    response = await client.post(path, content=json.dumps(body), headers=headers() | JSON)

    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["code"] == "invalid-request"
    assert field in [error["field"] for error in response.json()["errors"]]
    assert world.untouched()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"not json",
        b'{"lines": [}',
        b"\xff\xfe",
        b'{"lines": "\xff"}',
        b"[" * 60_000,
        b'{"lines": [{"product_id": 1, "quantity": 1}]} trailing',
    ],
)
async def test_what_is_no_json_is_a_400(client: httpx.AsyncClient, world: World, raw: bytes) -> None:
    response = await client.post(ORDERS, content=raw, headers=headers() | JSON)

    assert response.status_code == 400
    assert response.json()["code"] == "malformed-json"
    assert response.json()["errors"][0]["field"] == "body"
    assert world.untouched()


@pytest.mark.parametrize(
    ("product_ids", "field", "code"),
    [([99], "lines[0].product_id", "unknown-product"), ([1, 1], "lines[1].product_id", "duplicate-product")],
)
async def test_what_only_the_catalogue_knows_names_its_field_too(
    client: httpx.AsyncClient, world: World, product_ids: list[int], field: str, code: str
) -> None:
    body = {"lines": [{"product_id": number, "quantity": 1} for number in product_ids]}

    response = await client.post(ORDERS, json=body, headers=headers())

    assert (response.status_code, response.json()["code"]) == (422, code)
    assert [error["field"] for error in response.json()["errors"]] == [field]
    assert response.json()["instance"] == response.headers["x-trace-id"]
    assert world.place_order.stored == {}


@pytest.mark.parametrize("path", [ORDERS, CHARGES])
@pytest.mark.parametrize(
    ("key", "code"),
    [
        (None, "idempotency-key-missing"),
        ("", "idempotency-key-malformed"),
        ("two words", "idempotency-key-malformed"),
        ("k" * 256, "idempotency-key-malformed"),
    ],
)
async def test_a_missing_or_malformed_key_is_a_400(
    client: httpx.AsyncClient, world: World, path: str, key: str | None, code: str
) -> None:
    response = await client.post(path, json=lines() if path == ORDERS else {"amount": 1}, headers=headers(key=key))

    assert (response.status_code, response.json()["code"]) == (400, code)
    assert response.json()["errors"][0]["field"] == "Idempotency-Key"
    assert world.untouched()


async def test_two_keys_are_a_400(client: httpx.AsyncClient, world: World) -> None:
    twice = [*headers().items(), ("Idempotency-Key", "another")]

    response = await client.post(ORDERS, json=lines(), headers=twice)

    assert response.json()["code"] == "idempotency-key-malformed"
    assert world.untouched()


@pytest.mark.parametrize("key", ["!", "~" * 255])
async def test_the_shortest_and_longest_key_are_good(client: httpx.AsyncClient, key: str) -> None:
    assert (await client.post(ORDERS, json=lines(), headers=headers(key=key))).status_code == 202


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_another_media_type_is_a_415(client: httpx.AsyncClient, world: World, kind: str) -> None:
    response = await client.post(ORDERS, content=json.dumps(lines()), headers=headers() | {"Content-Type": kind})

    assert (response.status_code, response.json()["code"]) == (415, "unsupported-media-type")
    assert world.untouched()


async def chunks(size: int) -> AsyncIterator[bytes]:
    """Yield a body without a length, padded with white space, which JSON allows."""
    body = json.dumps(lines()).encode()
    yield body
    for _ in range((size - len(body)) // 1024):
        yield b" " * 1024
    yield b" " * ((size - len(body)) % 1024)


@pytest.mark.parametrize(("size", "status"), [(65_536, 202), (65_537, 413), (1_000_000, 413)])
@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_is_64_kib_at_most_whether_or_not_it_says_its_length(
    client: httpx.AsyncClient,
    world: World,
    size: int,
    status: int,
    chunked: bool,  # noqa: FBT001
) -> None:
    content: Any = chunks(size) if chunked else b"".join([chunk async for chunk in chunks(size)])

    response = await client.post(ORDERS, content=content, headers=headers() | JSON)

    assert response.status_code == status
    assert world.untouched() == (status == 413)
    if status == 413:
        assert response.json()["code"] == "body-too-large"
        assert response.headers["connection"] == "close"


async def test_a_body_that_never_ends_is_not_waited_for(
    client: httpx.AsyncClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("doorbuster.api.commands.BODY_SECONDS", 0.01)

    async def endless() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    response = await client.post(ORDERS, content=endless(), headers=headers() | JSON)

    assert (response.status_code, response.json()["code"]) == (408, "body-too-slow")
    assert world.untouched()


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/api/v1/orders?limit=0", "limit"),
        ("/api/v1/orders?limit=101", "limit"),
        ("/api/v1/orders?limit=x", "limit"),
        ("/api/v1/orders?cursor=x", "cursor"),
        ("/api/v1/orders?offset=3", "offset"),
        ("/api/v1/orders/not-an-id", "order_id"),
        ("/api/v1/products?limit=101", "limit"),
        ("/api/v1/products?cursor=-1", "cursor"),
        ("/api/v1/products/0", "product_id"),
        ("/api/v1/products/99999999999999999999", "product_id"),
    ],
)
async def test_a_wrong_parameter_names_itself(client: httpx.AsyncClient, path: str, field: str) -> None:
    response = await client.get(path, headers=headers())

    assert response.status_code == 422
    assert [error["field"] for error in response.json()["errors"]] == [field]


async def test_a_body_that_is_wrong_everywhere_is_answered_briefly(client: httpx.AsyncClient) -> None:
    body = {"lines": [{"product_id": 0, "quantity": 0}] * 100}

    response = await client.post(ORDERS, json=body, headers=headers())

    assert len(response.json()["errors"]) == 20
