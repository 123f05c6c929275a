"""Who may call which route: each route has a policy, and keeps it whoever asks (API1, API2, API5 of OWASP's list)."""

import json
import time
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi.routing import iter_route_contexts
from jwt.algorithms import OKPAlgorithm

from doorbuster.api.app import OPENAPI_PATH, create_routes
from doorbuster.infra.auth.jwks import KeyUnknown
from doorbuster.infra.auth.tokens import TokenVerifier
from tests.unit.doorbuster.api.fakes import World
from tests.unit.doorbuster.api.routes import (
    BALANCE,
    CLOSED,
    OTHER,
    OWNER,
    OWNERS_OWN,
    ROUTES,
    Policy,
    Route,
    ask,
    client_with,
    document,
    stocked,
)
from tests.unit.doorbuster.infra.auth.test_tokens import unsigned

ISSUER = "issuer-of-this-test"
KEY, STRANGE_KEY = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
DOCUMENT = document()


class OneKey:
    async def key(self, key_id: str) -> jwt.PyJWK:
        if key_id != "known":
            raise KeyUnknown
        return jwt.PyJWK(json.loads(OKPAlgorithm.to_jwk(KEY.public_key())))


VERIFIER = TokenVerifier({ISSUER: OneKey()}, audience="doorbuster", leeway_seconds=5, clock=time.time)


def token(user: int = OWNER, *, key: Ed25519PrivateKey = KEY, key_id: str = "known", **changes: Any) -> str:
    claims = {"iss": ISSUER, "aud": "doorbuster", "sub": str(user), "exp": int(time.time()) + 600} | changes
    return jwt.encode(claims, key, algorithm="EdDSA", headers={"kid": key_id})


NOBODYS_TOKENS = {
    "none at all": None,
    "expired": token(exp=int(time.time()) - 60),
    "for another audience": token(aud="another-shop"),
    "of an unknown issuer": token(iss="somebody"),
    "with an unknown key": token(key_id="unknown"),
    "with a strange signature": token(key=STRANGE_KEY),
    "without a signature": unsigned({"alg": "none", "typ": "JWT", "kid": "known"}),
    "of nobody": token(sub="0"),
    "no token": "x",
}


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for template, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {template}", operation


def documented(route: Route) -> dict[str, Any]:
    found: dict[str, Any] = dict(operations())[str(route)]
    return found


def owners(world: World) -> tuple[object, ...]:
    """Return what the owner has, which nobody else may change."""
    return (
        world.sagas.copy(),
        world.carts.carts.get(OWNER),
        world.balances.balances[OWNER],
        [issue for (_, user), issue in world.coupons.memory.issues.items() if user == OWNER],
    )


def test_every_route_of_the_document_has_a_policy_and_a_request_and_none_is_left_over() -> None:
    assert {name for name, _ in operations()} == {str(each) for each in ROUTES if each.template != OPENAPI_PATH}


def test_no_route_is_missing_in_the_document() -> None:
    served = {
        f"{method} {context.path}"
        for context in iter_route_contexts(create_routes(World().use_cases()).routes)
        for method in (context.methods or set()) - {"HEAD"}
    }

    assert served == {str(route) for route in ROUTES}


@pytest.mark.parametrize("route", [each for each in ROUTES if each.template != OPENAPI_PATH], ids=str)
def test_the_document_says_which_routes_want_a_token(route: Route) -> None:
    operation = documented(route)

    assert operation.get("security") == (None if route.policy is Policy.PUBLIC else [{"HTTPBearer": []}])
    assert ({"401", "403"} <= operation["responses"].keys()) == (route.policy is not Policy.PUBLIC)


@pytest.mark.parametrize("route", ROUTES, ids=str)
async def test_the_owner_is_served(route: Route) -> None:
    async with client_with(stocked().use_cases(), VERIFIER) as client:
        response = await ask(client, route, headers=route.headers(token()))

    assert response.status_code == route.status


@pytest.mark.parametrize("route", CLOSED, ids=str)
async def test_another_user_sees_and_changes_nothing_of_the_owners(route: Route) -> None:
    world = stocked()
    before = owners(world)

    async with client_with(world.use_cases(), VERIFIER) as client:
        response = await ask(client, route, headers=route.headers(token(OTHER)))

    assert response.status_code == (404 if route.policy is Policy.OWNED else route.status)
    if route.policy is Policy.OWNED:
        assert response.json()["code"] == "not-found"
    assert not [own for own in (*OWNERS_OWN, str(BALANCE)) if own in response.text]
    assert owners(world) == before


@pytest.mark.parametrize("route", [each for each in ROUTES if each.policy is Policy.OWNED], ids=str)
async def test_anothers_thing_looks_exactly_like_one_that_never_was(route: Route) -> None:
    last = next(own for own in OWNERS_OWN if own in route.path)
    never = route.path.replace(last, f"{last[:-2]}ff")

    async with client_with(stocked().use_cases(), VERIFIER) as client:
        foreign = await ask(client, route, headers=route.headers(token(OTHER)))
        missing = await ask(client, route, headers=route.headers(token(OTHER)) | {"Idempotency-Key": "2"}, path=never)

    assert foreign.status_code == missing.status_code == 404
    assert {**foreign.json(), "instance": ""} == {**missing.json(), "instance": ""}


@pytest.mark.parametrize("who", NOBODYS_TOKENS)
@pytest.mark.parametrize("route", CLOSED, ids=str)
async def test_without_a_good_token_nothing_is_told_or_done(route: Route, who: str) -> None:
    world = stocked()

    async with client_with(world.use_cases(), VERIFIER) as client:
        response = await ask(client, route, headers=route.headers(NOBODYS_TOKENS[who]))

    assert (response.status_code, response.json()["code"]) == (401, "unauthenticated")
    assert response.headers["www-authenticate"].startswith('Bearer realm="doorbuster"')
    assert world.untouched()


@pytest.mark.parametrize("route", CLOSED, ids=str)
@pytest.mark.parametrize("claims", [{"role": "admin"}, {"roles": ["buyer", "doorbuster-admin"]}])
async def test_an_admin_is_refused(route: Route, claims: dict[str, Any]) -> None:
    world = stocked()

    async with client_with(world.use_cases(), VERIFIER) as client:
        response = await ask(client, route, headers=route.headers(token(**claims)))

    assert (response.status_code, response.json()["code"]) == (403, "admin-role-refused")
    assert world.untouched()


@pytest.mark.parametrize("route", [each for each in ROUTES if each.policy is Policy.PUBLIC], ids=str)
@pytest.mark.parametrize("who", ["none at all", "expired", "for another audience"])
async def test_what_is_public_asks_nobody_who_one_is(route: Route, who: str) -> None:
    async with client_with(stocked().use_cases(), VERIFIER) as client:
        response = await ask(client, route, headers=route.headers(NOBODYS_TOKENS[who]))

    assert response.status_code == route.status
