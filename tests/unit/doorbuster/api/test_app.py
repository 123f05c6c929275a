"""What all routes have in common: problems, tokens, traces, metrics, the document."""

from typing import Any

import httpx
import pytest
from prometheus_client import REGISTRY

from doorbuster.api.app import create_app
from doorbuster.api.middleware import Bounded
from tests.unit.doorbuster.api.fakes import World, client_of, headers
from tests.unit.doorbuster.api.routes import CLOSED, Route, document

TRACE = "0af7651916cd43dd8448eb211c80319c"


def measured(route: str, method: str, status_class: str) -> float:
    labels = {"route": route, "method": method, "status_class": status_class}
    return REGISTRY.get_sample_value("http_server_request_duration_seconds_count", labels) or 0.0


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing/here", 404, "not-found"),
        ("GET", "/api/v1/orders/", 404, "not-found"),
        ("DELETE", "/api/v1/orders", 405, "method-not-allowed"),
        ("GET", "/api/v1/points/charges", 405, "method-not-allowed"),
    ],
)
async def test_what_does_not_exist_is_a_problem_document(
    client: httpx.AsyncClient, method: str, path: str, status: int, code: str
) -> None:
    response = await client.request(method, path, headers=headers())

    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.headers["content-type"] == "application/problem+json"


async def test_a_problem_document_has_all_members(client: httpx.AsyncClient) -> None:
    response = await client.get("/nothing/here", headers={"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"})

    assert response.json() == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "code": "not-found",
        "detail": "Not Found",
        "errors": [],
        "instance": TRACE,
    }
    assert response.headers["x-trace-id"] == TRACE


async def test_a_bug_is_a_500_that_tells_nothing(client: httpx.AsyncClient, world: World) -> None:
    world.orders.failure = RuntimeError("SELECT secret FROM somewhere")

    response = await client.get(f"/api/v1/orders/{'0' * 8}-0000-0000-0000-{'0' * 12}", headers=headers())

    assert (response.status_code, response.json()["code"]) == (500, "internal-error")
    assert "secret" not in response.text
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("route", CLOSED, ids=str)
@pytest.mark.parametrize(
    ("token", "status", "code"),
    [
        (None, 401, "unauthenticated"),
        ("Basic dXNlcjpwYXNz", 401, "unauthenticated"),
        ("Bearer", 401, "unauthenticated"),
        ("Bearer nobody's", 401, "unauthenticated"),
        ("Bearer admin", 403, "admin-role-refused"),
        ("Bearer of-an-issuer-that-is-gone", 503, "issuer-unavailable"),
    ],
)
async def test_every_route_that_is_not_public_wants_a_users_token_before_all_else(
    client: httpx.AsyncClient, world: World, route: Route, token: str | None, status: int, code: str
) -> None:
    sent = {} if token is None else {"Authorization": token}

    # Everything else about this request is wrong as well.
    response = await client.request(route.method, route.template, headers=sent, content=b"{")

    assert (response.status_code, response.json()["code"]) == (status, code)
    if status == 401:
        assert response.headers["www-authenticate"].startswith('Bearer realm="doorbuster"')
    assert world.untouched()


@pytest.mark.parametrize(
    ("path", "route", "status_class"),
    [("/api/v1/products/2", "/api/v1/products/{product_id}", "2xx"), ("/nothing/2", "unmatched", "4xx")],
)
async def test_requests_are_measured_by_route_template(
    client: httpx.AsyncClient, path: str, route: str, status_class: str
) -> None:
    before = measured(route, "GET", status_class)

    await client.get(path)

    assert measured(route, "GET", status_class) == before + 1


async def test_an_invented_method_is_no_new_label(client: httpx.AsyncClient) -> None:
    before = measured("unmatched", "OTHER", "4xx")

    await client.request("BREW", "/nothing")

    assert measured("unmatched", "OTHER", "4xx") == before + 1


async def test_more_requests_than_the_bound_are_refused() -> None:
    app = Bounded(create_app(World().use_cases()), most_requests=0)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://doorbuster.test") as client:
        response = await client.get("/api/v1/products")

    assert (response.status_code, response.json()["code"]) == (503, "overloaded")


async def test_the_document_is_served() -> None:
    async with client_of(World()) as client:
        response = await client.get("/api/v1/openapi.json")

    assert response.status_code == 200
    assert response.json() == document()


def test_the_document_holds_everything_that_it_refers_to() -> None:
    def references(value: Any) -> set[str]:
        if isinstance(value, dict):
            own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
            return own.union(*(references(each) for each in value.values()))
        return set().union(*(references(each) for each in value)) if isinstance(value, list) else set()

    schemas = document()["components"]["schemas"]

    assert {reference.rpartition("/")[2] for reference in references(document())} <= schemas.keys()
    assert {"PlaceOrderRequest", "ChargePointsRequest", "ProblemDocument"} <= schemas.keys()


def test_the_document_names_token_key_and_body_where_they_are_needed() -> None:
    order = document()["paths"]["/api/v1/orders"]["post"]

    assert order["security"] == [{"HTTPBearer": []}]
    assert [parameter["name"] for parameter in order["parameters"]] == ["Idempotency-Key"]
    assert order["requestBody"]["content"].keys() == {"application/json"}
    assert order["responses"]["422"]["content"].keys() == {"application/problem+json"}
