"""Whatever is wrong with a path, a query or a header: a 4xx problem document that names it, and nothing asked below."""

import base64
from collections.abc import Iterator
from urllib.parse import quote
from uuid import UUID

import httpx
import pytest
from structlog.testing import capture_logs

from doorbuster.api.app import OPENAPI_PATH
from doorbuster.api.schemas import GREATEST_ID
from tests.unit.doorbuster.api.refusals import assert_refused
from tests.unit.doorbuster.api.routes import (
    KEYED,
    ROUTES,
    WITH_A_BODY,
    Route,
    ask,
    client_with,
    document,
    route,
    stocked,
)

UNKNOWN = {"product_id": "99", "coupon_id": "99", "order_id": str(UUID(int=99)), "issue_id": str(UUID(int=99))}
NO_NUMBERS = [
    "0", "-1", "x", "1.0", "1.5", "+1", "%201", "1_0", "0x1", "1e2", "true", "null", "%D9%A1", "%00", "1%00", "%FF",
    str(GREATEST_ID + 1), str(2**63), "9" * 100, "9" * 5_000,
]  # fmt: skip
NO_UUIDS = [
    "x", "1", "%00", "%FF", "null", str(UUID(int=1)) + "0", str(UUID(int=1))[:-1] + "g", "0" * 5_000,
    quote("' OR 1=1"), "%D9%A1" * 32,
]  # fmt: skip
BY_KIND = {"product_id": NO_NUMBERS, "coupon_id": NO_NUMBERS, "order_id": NO_UUIDS, "issue_id": NO_UUIDS}
LIMITS = ["0", "-1", "101", "x", "", "1.0", "%201", "1_0", "true", "null", "%D9%A1", "%00", "9" * 5_000]


def position(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


ORDERS, PRODUCTS, ENTRIES, RANKING, STREAM = (
    route(f"GET /api/v1/{path}")
    for path in ("orders", "products", "points/entries", "products/ranking", "orders/{order_id}/events")
)
LISTS = (ORDERS, PRODUCTS, ENTRIES, RANKING)
QUERIES: list[tuple[Route, str, list[str]]] = [
    *((each, "limit", [f"limit={value}" for value in LIMITS]) for each in LISTS),
    (ORDERS, "cursor", [f"cursor={value}" for value in ("", *NO_UUIDS)]),
    (
        ENTRIES,
        "cursor",
        [
            f"cursor={value}"
            for value in (
                "", "x", "1", "%00", "%FF", f"1.{'0' * 32}", f"1.{'0' * 32}.gift", f"1.{'0' * 32}.spend%0A",
                f"-1.{'0' * 32}.spend", f"{10**16}.{'0' * 32}.spend", f"1.{'g' * 32}.spend", "9" * 5_000,
            )
        ],
    ),
    (
        PRODUCTS,
        "cursor",
        [
            *(
                f"cursor={value}"
                for value in (
                    "", "x", "-1", "1.0", "%201", "%D9%A1", "%00", "1%0A", str(GREATEST_ID + 1), "9" * 1_999,
                    "9" * 2_001, position('["a",1]'),
                )
            ),
            *(
                f"name_prefix=L&cursor={value}"
                for value in (
                    "12", "a", position('["a"]'), position('["a",-1]'), position(f'["a",{GREATEST_ID + 1}]'),
                    position('["a",99999999999999999999999]'), position('["a",1.5]'), position('["a",true]'),
                    position('["a","1"]'), position("[1,1]"), position("{}"), position("null"), position('["a",1'),
                    position(f'["{"a" * 201}",1]'), position('["\\ud800",1]'), position("[" * 1_400),
                )
            ),
        ],
    ),
    (
        PRODUCTS,
        "name_prefix",
        [
            f"name_prefix={value}"
            for value in (
                "", "x" * 201, quote("é" * 201), "%00", "Lamp%00", "%0A", "%7F", "%C2%80", "Lamp%C2%85", "%C2%9F",
                "%FF", "%ED%A0%80", "%C0%AF",
            )
        ],
    ),
    *((each, name, [f"{name}=1"]) for each in LISTS for name in ("offset", "user_id", "Limit", "__proto__")),
]  # fmt: skip


def parameters(place: str) -> Iterator[tuple[Route, str]]:
    """Yield each route of the document with the name of each of its parameters in this place."""
    for template, methods in document()["paths"].items():
        for method, operation in methods.items():
            for each in operation.get("parameters", []):
                if each["in"] == place:
                    yield route(f"{method.upper()} {template}"), each["name"]


IN_PATHS = list(parameters("path"))


def with_in_path(route: Route, name: str, value: str) -> str:
    """Return the route's path with another value of this parameter."""
    parts = zip(route.template.split("/"), route.path.split("/"), strict=True)
    return "/".join(value if template == f"{{{name}}}" else own for template, own in parts)


async def test_whatever_reaches_a_use_case_would_be_seen(closed: httpx.AsyncClient) -> None:
    with capture_logs():
        statuses = {(await ask(closed, each)).status_code for each in ROUTES if each.template != OPENAPI_PATH}

    assert statuses == {500}


def test_every_parameter_is_in_a_table() -> None:
    assert {name for _, name in IN_PATHS} == BY_KIND.keys() == UNKNOWN.keys()
    assert set(parameters("query")) == {row[:2] for row in QUERIES if row[1] in {"limit", "cursor", "name_prefix"}}
    assert set(parameters("header")) == {*((each, "Idempotency-Key") for each in KEYED), (STREAM, "last-event-id")}
    assert list(parameters("cookie")) == []


@pytest.mark.parametrize(("route", "name"), IN_PATHS, ids=str)
async def test_what_is_no_id_names_its_place_in_the_path(closed: httpx.AsyncClient, route: Route, name: str) -> None:
    for value in BY_KIND[name]:
        response = await ask(closed, route, path=with_in_path(route, name, value))

        assert_refused(response, 422, "invalid-request", name)


# A line that isn't in the cart is gone, whatever product it is of.
@pytest.mark.parametrize(("route", "name"), [row for row in IN_PATHS if row[0].method != "DELETE"], ids=str)
async def test_an_unknown_id_is_not_found_and_nothing_is_written(route: Route, name: str) -> None:
    world = stocked()
    before = (world.sagas.copy(), world.carts.carts.copy(), world.coupons.memory.issues.copy())

    async with client_with(world.use_cases()) as client:
        response = await ask(client, route, path=with_in_path(route, name, UNKNOWN[name]))

    assert (response.status_code, response.json()["code"]) == (404, "not-found")
    assert response.headers["content-type"] == "application/problem+json"
    assert (world.sagas, world.carts.carts, world.coupons.memory.issues) == before
    assert world.cancel_order.stored == {}


@pytest.mark.parametrize(
    ("route", "name", "queries"), QUERIES, ids=lambda value: "" if isinstance(value, list) else str(value)
)
async def test_what_is_wrong_in_a_query_is_named(
    closed: httpx.AsyncClient, route: Route, name: str, queries: list[str]
) -> None:
    for query in queries:
        assert_refused(await ask(closed, route, path=f"{route.path}?{query}"), 422, "invalid-request", name)


@pytest.mark.parametrize("limit", ["1", "100"])
@pytest.mark.parametrize("route", LISTS, ids=str)
async def test_the_least_and_the_greatest_page_are_given(route: Route, limit: str) -> None:
    async with client_with(stocked().use_cases()) as client:
        assert (await ask(client, route, path=f"{route.path}?limit={limit}")).status_code == 200


async def test_the_longest_prefix_is_looked_for() -> None:
    async with client_with(stocked().use_cases()) as client:
        assert (await ask(client, PRODUCTS, path=f"{PRODUCTS.path}?name_prefix={quote('é' * 200)}")).status_code == 200


async def test_an_event_id_that_is_too_long_is_named(closed: httpx.AsyncClient) -> None:
    response = await ask(closed, STREAM, headers=STREAM.headers() | {"Last-Event-ID": "x" * 65})

    assert_refused(response, 422, "invalid-request", "last-event-id")


@pytest.mark.parametrize("route", ROUTES, ids=str)
async def test_an_unknown_method_is_told_which_ones_there_are(closed: httpx.AsyncClient, route: Route) -> None:
    there = {each.method for each in ROUTES if each.template == route.template}

    for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"} - there:
        response = await closed.request(method, route.path, headers=route.headers())

        assert_refused(response, 405, "method-not-allowed", None)
        assert {each.strip() for each in response.headers["allow"].split(",")} - {"HEAD"} == there


@pytest.mark.parametrize("route", [each for each in ROUTES if each not in WITH_A_BODY], ids=str)
async def test_a_body_that_nobody_reads_is_64_kib_at_most_too(closed: httpx.AsyncClient, route: Route) -> None:
    assert_refused(await ask(closed, route, content=b" " * 65_537), 413, "body-too-large", None)
