"""Whatever is wrong with an idempotency key: a 400 that names the header, and nothing done (R1)."""

from typing import Any

import httpx
import pytest

from tests.unit.doorbuster.api.refusals import assert_refused
from tests.unit.doorbuster.api.routes import KEYED, Route, ask, client_with, stocked


@pytest.mark.parametrize("route", KEYED, ids=str)
@pytest.mark.parametrize(
    ("key", "code"),
    [
        (None, "idempotency-key-missing"),
        ("", "idempotency-key-malformed"),
        ("two words", "idempotency-key-malformed"),
        ("tab\t", "idempotency-key-malformed"),
        ("k" * 256, "idempotency-key-malformed"),
        ("clé".encode(), "idempotency-key-malformed"),
        (b"\xff", "idempotency-key-malformed"),
        (b"nul\0", "idempotency-key-malformed"),
        (b"del\x7f", "idempotency-key-malformed"),
    ],
)
async def test_a_missing_or_malformed_key_is_a_400(
    closed: httpx.AsyncClient, route: Route, key: str | bytes | None, code: str
) -> None:
    sent: list[tuple[Any, Any]] = [pair for pair in route.headers().items() if pair[0] != "Idempotency-Key"]

    response = await ask(closed, route, headers=[*sent, *([] if key is None else [("Idempotency-Key", key)])])

    assert_refused(response, 400, code, "Idempotency-Key")


@pytest.mark.parametrize("route", KEYED, ids=str)
async def test_two_keys_are_a_400(closed: httpx.AsyncClient, route: Route) -> None:
    response = await ask(closed, route, headers=[*route.headers().items(), ("Idempotency-Key", "another")])

    assert_refused(response, 400, "idempotency-key-malformed", "Idempotency-Key")


@pytest.mark.parametrize("key", ["!", "~" * 255])
@pytest.mark.parametrize("route", KEYED, ids=str)
async def test_the_shortest_and_longest_key_are_good(route: Route, key: str) -> None:
    async with client_with(stocked().use_cases()) as client:
        response = await ask(client, route, headers=route.headers() | {"Idempotency-Key": key})

    assert response.status_code == route.status
