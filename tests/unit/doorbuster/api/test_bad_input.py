"""Whatever is wrong with a body: a 4xx problem document that names the field, and nothing done.

Each row stands for one mistake, and is sent to every route that can be given it.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from copy import deepcopy
from typing import Any

import httpx
import pytest

from doorbuster.api.schemas import GREATEST_ID
from doorbuster.carts.model import MOST_UNITS
from doorbuster.points.model import MOST_CHARGE
from tests.unit.doorbuster.api.fakes import World, headers
from tests.unit.doorbuster.api.refusals import assert_refused
from tests.unit.doorbuster.api.routes import (
    WITH_A_BODY,
    Route,
    ask,
    client_with,
    document,
    route,
    stocked,
)

ORDERS = "/api/v1/orders"
PLACE, CHARGE, PUT_LINE, CHECK_OUT = (
    route(name)
    for name in (
        f"POST {ORDERS}", "POST /api/v1/points/charges", "PUT /api/v1/cart/lines/{product_id}",
        "POST /api/v1/cart/checkout",
    )
)  # fmt: skip
JSON = {"Content-Type": "application/json"}
LONGEST_BODY = 65_536
DEEPEST = 16

# Each integer in a body: where it is, the path that names it, the greatest, and whether it may be null.
INTEGERS: list[tuple[Route, tuple[str | int, ...], int, bool]] = [
    (PLACE, ("lines", 0, "product_id"), GREATEST_ID, False),
    (PLACE, ("lines", 0, "quantity"), MOST_UNITS, False),
    (PLACE, ("coupon_id",), GREATEST_ID, True),
    (CHARGE, ("amount",), MOST_CHARGE, False),
    (PUT_LINE, ("quantity",), MOST_UNITS, False),
    (CHECK_OUT, ("coupon_id",), GREATEST_ID, True),
]
NO_INTEGERS = [
    0, -1, -(2**63), 2**53 + 1, 2**63, 10**30, 1.0, 1.5, 1e300, True, False, "1", "", "\0", [], {}, [1],
]  # fmt: skip
LINE = {"product_id": 1, "quantity": 2}
SHAPES: list[tuple[Route, Any, str]] = [
    (PLACE, {}, "lines"),
    (PLACE, {"lines": None}, "lines"),
    (PLACE, {"lines": []}, "lines"),
    (PLACE, {"lines": "x"}, "lines"),
    (PLACE, {"lines": {"0": LINE}}, "lines"),
    (PLACE, {"lines": [None]}, "lines[0]"),
    (PLACE, {"lines": [LINE, [LINE]]}, "lines[1]"),
    (PLACE, {"lines": [LINE, {}]}, "lines[1].product_id"),
    (PLACE, {"lines": [{"product_id": 1}]}, "lines[0].quantity"),
    (PLACE, {"lines": [LINE | {"unit_price": 1}]}, "lines[0].unit_price"),
    (PLACE, {"lines": [{"product_id": n, "quantity": 1} for n in range(1, 102)]}, "lines"),
    (PLACE, {"lines": [LINE], "user_id": 2}, "user_id"),
    (PLACE, {"lines": [LINE], "total": 1}, "total"),
    (CHARGE, {}, "amount"),
    (CHARGE, {"amount": 1, "user_id": 2}, "user_id"),
    (PUT_LINE, {}, "quantity"),
    (PUT_LINE, {"quantity": 1, "price": 0}, "price"),
    (CHECK_OUT, {"lines": [LINE]}, "lines"),
]
# What no route takes, whatever it wants: the body, and the field that is named.
NO_OBJECTS: list[Any] = [None, [], [{}], "x", 1, True]
NO_JSON: list[bytes] = [
    b"{",
    b"not json",
    b'{"x": }',
    b"{'x': 1}",
    b'{"x": 1,}',
    b"{} trailing",
    b"{}{}",
    b"\xff\xfe",
    b"\xef\xbb\xbf{}",
    b'{"x": "\xff"}',
    b'{"x": "\xed\xa0\x80"}',
    b'{"x": "\\ud800"}',
    b'{"\\udfff": 1}',
    b'{"x": "\0"}',
    b'{"x": ' + b"9" * 5_000 + b"}",
    b"[" * 60_000,
    b'{"x":' * 10_000,
]


def with_value(body: Any, place: tuple[str | int, ...], value: Any) -> Any:
    """Return the body with another value at the place."""
    changed = deepcopy(body)
    at = changed
    for part in place[:-1]:
        at = at[part]
    at[place[-1]] = value
    return changed


def field_of(place: tuple[str | int, ...]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).removeprefix(".")


def properties(schema: dict[str, Any], schemas: dict[str, Any], above: str = "") -> Iterator[str]:
    """Yield the path of each property in a schema that isn't an object or a list itself."""
    if "$ref" in schema:
        yield from properties(schemas[schema["$ref"].rpartition("/")[2]], schemas, above)
    elif schema.get("type") == "object":
        for name, inner in schema["properties"].items():
            yield from properties(inner, schemas, f"{above}.{name}")
    elif schema.get("type") == "array":
        yield from properties(schema["items"], schemas, f"{above}[0]")
    else:
        yield above.removeprefix(".")


def test_every_field_of_every_body_is_in_the_table() -> None:
    whole = document()
    schemas = whole["components"]["schemas"]
    wanted = {
        (str(each), field)
        for each in WITH_A_BODY
        for field in properties(
            whole["paths"][each.template][each.method.lower()]["requestBody"]["content"]["application/json"]["schema"],
            schemas,
        )
    }

    assert {(str(each), field_of(place)) for each, place, _, _ in INTEGERS} == wanted
    assert {
        f"{method.upper()} {template}"
        for template, methods in whole["paths"].items()
        for method, operation in methods.items()
        if "requestBody" in operation
    } == {str(each) for each in WITH_A_BODY}


@pytest.mark.parametrize(("route", "place", "greatest", "nullable"), INTEGERS, ids=str)
async def test_what_is_no_such_integer_is_named_and_does_nothing(
    closed: httpx.AsyncClient,
    route: Route,
    place: tuple[str | int, ...],
    greatest: int,
    nullable: bool,  # noqa: FBT001
) -> None:
    for value in [*NO_INTEGERS, greatest + 1, *([] if nullable else [None])]:
        response = await ask(closed, route, content=json.dumps(with_value(route.body, place, value)))

        assert_refused(response, 422, "invalid-request", field_of(place))


@pytest.mark.parametrize(("route", "place", "greatest"), [row[:3] for row in INTEGERS], ids=str)
async def test_the_least_and_the_greatest_are_understood(
    route: Route, place: tuple[str | int, ...], greatest: int
) -> None:
    world = stocked()
    async with client_with(world.use_cases()) as client:
        for number, value in enumerate((1, greatest)):
            key = {"Idempotency-Key": f"key-{number}"}
            response = await ask(
                client, route, content=json.dumps(with_value(route.body, place, value)), headers=route.headers() | key
            )

            assert response.status_code in {route.status, 409} or response.json()["code"] == "unknown-product"


@pytest.mark.parametrize(("route", "body", "field"), SHAPES, ids=str)
async def test_a_wrong_shape_is_named_and_does_nothing(
    closed: httpx.AsyncClient, route: Route, body: Any, field: str
) -> None:
    assert_refused(await ask(closed, route, content=json.dumps(body)), 422, "invalid-request", field)


@pytest.mark.parametrize("route", WITH_A_BODY, ids=str)
class TestEveryRouteWithABody:
    async def test_refuses_what_is_no_object(self, closed: httpx.AsyncClient, route: Route) -> None:
        for body in NO_OBJECTS:
            assert_refused(await ask(closed, route, content=json.dumps(body)), 422, "invalid-request", "body")

    async def test_refuses_what_is_no_json(self, closed: httpx.AsyncClient, route: Route) -> None:
        for raw in NO_JSON:
            assert_refused(await ask(closed, route, content=raw), 400, "malformed-json", "body")

    @pytest.mark.parametrize("name", ["surplus", "status", "__proto__", "Quantity", "a\0b", "é", ""])
    async def test_refuses_names_that_it_does_not_know(
        self, closed: httpx.AsyncClient, route: Route, name: str
    ) -> None:
        body = {**(route.body or {}), name: 1}

        # A name without letters is named as what it stands in.
        assert_refused(await ask(closed, route, content=json.dumps(body)), 422, "invalid-request", name or "body")

    async def test_refuses_what_is_nested_deeper_than_anything(self, closed: httpx.AsyncClient, route: Route) -> None:
        for opening, closing in ((b"[", b"]"), (b'{"x":', b"}")):
            for depth in (DEEPEST + 1, 150):
                raw = b'{"deep":' + opening * depth + b"1" + closing * depth + b"}"

                assert_refused(await ask(closed, route, content=raw), 422, "invalid-request", "deep")

    async def test_refuses_names_that_stand_twice(self, closed: httpx.AsyncClient, route: Route) -> None:
        own = json.dumps(route.body)
        for name, value in (route.body or {}).items():
            again = f'{own[:-1]}, "{name}": {json.dumps(value)}}}'

            assert_refused(await ask(closed, route, content=again), 422, "invalid-request", name)

    async def test_refuses_another_media_type(self, closed: httpx.AsyncClient, route: Route) -> None:
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonp", ""):
            changed = route.headers() | {"Content-Type": kind}

            assert_refused(
                await ask(closed, route, content=b"{ }", headers=changed), 415, "unsupported-media-type", None
            )

    async def test_refuses_more_than_64_kib_whether_or_not_they_say_so(
        self, closed: httpx.AsyncClient, route: Route
    ) -> None:
        for size in (LONGEST_BODY + 1, 1_000_000):
            for content in (padded(route, size), in_chunks(padded(route, size))):
                response = await ask(closed, route, content=content)

                assert_refused(response, 413, "body-too-large", None)
                assert response.headers["connection"] == "close"

    async def test_takes_64_kib(self, route: Route) -> None:
        for chunked in (False, True):
            async with client_with(stocked().use_cases()) as client:
                body = padded(route, LONGEST_BODY)
                response = await ask(client, route, content=in_chunks(body) if chunked else body)

            assert response.status_code == route.status

    async def test_does_not_wait_for_a_body_that_never_ends(
        self, closed: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, route: Route
    ) -> None:
        monkeypatch.setattr("doorbuster.api.commands.BODY_SECONDS", 0.01)

        async def endless() -> AsyncIterator[bytes]:
            yield b"{"
            await asyncio.Event().wait()

        assert_refused(await ask(closed, route, content=endless()), 408, "body-too-slow", None)


def padded(route: Route, size: int) -> bytes:
    """Return the route's own body with white space, which JSON allows, up to a size."""
    return json.dumps(route.body).encode().ljust(size)


async def in_chunks(body: bytes) -> AsyncIterator[bytes]:
    """Yield a body without its length."""
    for begin in range(0, len(body), 1024):
        yield body[begin : begin + 1024]


@pytest.mark.parametrize(
    ("product_ids", "field", "code"),
    [([99], "lines[0].product_id", "unknown-product"), ([1, 1], "lines[1].product_id", "duplicate-product")],
)
async def test_what_only_the_catalogue_knows_names_its_field_too(
    client: httpx.AsyncClient, world: World, product_ids: list[int], field: str, code: str
) -> None:
    body = {"lines": [{"product_id": number, "quantity": 1} for number in product_ids]}

    assert_refused(await client.post(ORDERS, json=body, headers=headers()), 422, code, field)
    assert world.place_order.stored == {}


async def test_the_first_line_that_says_something_twice_is_refused(closed: httpx.AsyncClient) -> None:
    """The value that was checked on the way may be the first, and ours would be the last."""
    raw = b'{"lines": [{"product_id": 1, "quantity": 1, "quantity": 1000}]}'

    assert_refused(await closed.post(ORDERS, content=raw, headers=headers() | JSON), 422, "invalid-request", "quantity")


async def test_a_body_that_is_wrong_everywhere_is_answered_briefly(closed: httpx.AsyncClient) -> None:
    body = {"lines": [{"product_id": 0, "quantity": 0}] * 100}

    response = await closed.post(ORDERS, json=body, headers=headers())

    assert len(response.json()["errors"]) == 20


async def test_a_name_that_goes_on_for_ever_is_not_repeated_as_a_whole(closed: httpx.AsyncClient) -> None:
    response = await closed.post(ORDERS, json={"n" * 60_000: 1}, headers=headers())

    assert [error["field"] for error in response.json()["errors"]] == ["lines", "n" * 100]
