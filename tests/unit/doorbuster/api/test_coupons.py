from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from prometheus_client import REGISTRY

from doorbuster.api.app import create_routes
from doorbuster.kernel.errors import BrokerUnavailable, DoorbusterError, OutcomeUnknown, Overloaded, PrimaryUnavailable
from tests.unit.doorbuster.api.fakes import World, headers
from tests.unit.doorbuster.coupons.issues import COUPON, NOW, coupon

ISSUES = f"/api/v1/coupons/{COUPON}/issues"
FIRST = "00000000-0000-0000-0000-000000000001"


def refusals(code: str) -> float:
    return REGISTRY.get_sample_value("business_refusals_total", {"code": code}) or 0.0


async def test_an_issue_is_accepted_and_told_where_it_is(client: httpx.AsyncClient) -> None:
    response = await client.post(ISSUES, headers=headers(key=None))

    issue = {
        "id": FIRST,
        "coupon_id": 1,
        "status": "ACCEPTED",
        "created_at": "2026-11-26T09:00:00Z",
        "issued_at": None,
        "order_id": None,
    }
    assert (response.status_code, response.json()) == (202, issue)
    assert response.headers["location"] == f"/api/v1/coupon-issues/{FIRST}"
    assert "idempotency-replayed" not in response.headers
    assert (await client.get(response.headers["location"], headers=headers())).json() == issue


async def test_a_repeat_is_given_the_same_issue_whatever_key_it_has(client: httpx.AsyncClient) -> None:
    first = await client.post(ISSUES, headers=headers(key="a"))
    again = await client.post(ISSUES, headers=headers(key="b"))

    assert (again.status_code, again.content) == (202, first.content)
    assert again.headers["location"] == first.headers["location"]
    assert again.headers["idempotency-replayed"] == "true"


async def test_an_empty_object_is_as_good_as_nothing(client: httpx.AsyncClient) -> None:
    assert (await client.post(ISSUES, json={}, headers=headers())).status_code == 202


@pytest.mark.parametrize(
    ("issued", "hours", "code"), [(5, 0, "sold-out"), (0, -2, "not-yet"), (0, 1, "ended"), (5, 1, "ended")]
)
async def test_a_business_refusal_is_409_with_a_code_and_a_count_of_its_own(
    client: httpx.AsyncClient, world: World, issued: int, hours: int, code: str
) -> None:
    world.coupons.memory.coupons[COUPON] = coupon(issued=issued)
    world.coupons.memory.now = NOW + timedelta(hours=hours)
    before = refusals(code)

    response = await client.post(ISSUES, headers=headers())

    assert (response.status_code, response.json()["code"]) == (409, code)
    assert response.headers["content-type"] == "application/problem+json"
    assert refusals(code) == before + 1


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (PrimaryUnavailable("x"), 503, "not-accepted"),
        (Overloaded("x"), 503, "overloaded"),
        (BrokerUnavailable("x"), 503, "broker-unavailable"),
        (OutcomeUnknown("x"), 504, "outcome-unknown"),
    ],
)
async def test_a_failure_says_when_to_come_again(
    client: httpx.AsyncClient, world: World, error: DoorbusterError, status: int, code: str
) -> None:
    world.coupons.memory.failures = [error]

    response = await client.post(ISSUES, headers=headers())

    assert (response.status_code, response.json()["code"]) == (status, code)
    assert int(response.headers["retry-after"]) >= 1
    assert "Idempotency-Key" not in response.json()["detail"]


async def test_anothers_issue_is_as_unknown_as_none(client: httpx.AsyncClient) -> None:
    accepted = await client.post(ISSUES, headers=headers())

    foreign = await client.get(accepted.headers["location"], headers=headers(2))
    missing = await client.get(f"/api/v1/coupon-issues/{FIRST[:-1]}7", headers=headers())

    assert [(each.status_code, each.json()["code"]) for each in (foreign, missing)] == [(404, "not-found")] * 2
    assert {**foreign.json(), "instance": ""} == {**missing.json(), "instance": ""}


async def test_everybody_may_look_at_a_coupon(client: httpx.AsyncClient, world: World) -> None:
    response = await client.get(f"/api/v1/coupons/{COUPON}")

    assert response.json() == {
        "id": 1,
        "name": "a tenth",
        "kind": "percentage",
        "value": 10,
        "most_discount": None,
        "minimum_amount": 0,
        "valid_from": "2026-11-26T08:00:00Z",
        "valid_until": "2026-11-26T10:00:00Z",
        "sold_out": False,
    }
    world.coupons.memory.coupons[COUPON] = replace(coupon(), issued=5)
    assert (await client.get(f"/api/v1/coupons/{COUPON}")).json()["sold_out"] is True


def test_the_document_says_that_no_key_and_no_body_are_needed() -> None:
    operation = create_routes(World().use_cases()).openapi()["paths"]["/api/v1/coupons/{coupon_id}/issues"]["post"]

    assert operation["requestBody"]["required"] is False
    assert [each["name"] for each in operation["parameters"]] == ["coupon_id"]
    assert {"202", "401", "404", "409", "503", "504"} <= operation["responses"].keys()
