import json

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import ECAlgorithm, OKPAlgorithm

from doorbuster.infra.auth.jwks import LONGEST_BYTES, IssuerKeys, IssuerUnavailable, KeyUnknown, keys_of

URL = "http://issuer.test/jwks.json"


def entry(key_id: str) -> dict[str, str]:
    public = Ed25519PrivateKey.generate().public_key()
    return {**json.loads(OKPAlgorithm.to_jwk(public)), "kid": key_id}


class Issuer:
    """An issuer whose keys, failures and requests are in the test's hands."""

    def __init__(self, *key_ids: str) -> None:
        self.key_ids = key_ids
        self.fails = False
        self.content: bytes | None = None
        self.requests = 0
        self.now = 1000.0
        transport = httpx.MockTransport(self._answer)
        self.client = httpx.AsyncClient(transport=transport)
        self.keys = IssuerKeys(URL, self.client, monotonic=lambda: self.now)

    def _answer(self, _: httpx.Request) -> httpx.Response:
        self.requests += 1
        if self.fails:
            raise httpx.ConnectError("gone")
        content = self.content or json.dumps({"keys": [entry(key_id) for key_id in self.key_ids]}).encode()
        return httpx.Response(200, content=content)


async def test_a_key_is_fetched_once() -> None:
    issuer = Issuer("a")

    first, again = await issuer.keys.key("a"), await issuer.keys.key("a")

    assert first is again
    assert issuer.requests == 1


async def test_an_unknown_key_asks_the_issuer_at_most_every_ten_seconds() -> None:
    issuer = Issuer("a")
    for _ in range(20):
        with pytest.raises(KeyUnknown):
            await issuer.keys.key("b")
    assert issuer.requests == 1

    issuer.key_ids = ("a", "b")
    issuer.now += 10
    assert (await issuer.keys.key("b")).algorithm_name == "EdDSA"
    assert issuer.requests == 2


async def test_a_withdrawn_key_ends_after_five_minutes() -> None:
    issuer = Issuer("a")
    await issuer.keys.key("a")
    issuer.key_ids = ("b",)

    issuer.now += 301
    with pytest.raises(KeyUnknown):
        await issuer.keys.key("a")


async def test_an_issuer_that_was_never_reached_says_nothing_about_its_keys() -> None:
    issuer = Issuer("a")
    issuer.fails = True
    for _ in range(5):
        with pytest.raises(IssuerUnavailable):
            await issuer.keys.key("a")
    assert issuer.requests == 1

    issuer.fails = False
    issuer.now += 1
    await issuer.keys.key("a")


async def test_known_keys_outlive_an_issuer_that_is_gone() -> None:
    issuer = Issuer("a")
    known = await issuer.keys.key("a")
    issuer.fails = True

    issuer.now += 1000
    assert await issuer.keys.key("a") is known


@pytest.mark.parametrize("content", [b"no json", b"[]", b'{"keys": 7}', b" " * (LONGEST_BYTES + 1)])
async def test_what_is_no_key_set_is_not_taken(content: bytes) -> None:
    issuer = Issuer("a")
    issuer.content = content

    with pytest.raises(IssuerUnavailable):
        await issuer.keys.key("a")


def test_only_keys_of_the_fixed_algorithms_are_taken() -> None:
    elliptic = json.loads(ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()).public_key()))
    other_curve = json.loads(ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP384R1()).public_key()))
    document = {
        "keys": [
            entry("ed"),
            {**elliptic, "kid": "es256"},
            {**other_curve, "kid": "es384"},
            {"kty": "oct", "k": "c2VjcmV0", "kid": "shared"},
            {"kty": "nonsense", "kid": "unreadable"},
            {**entry("x"), "kid": 7},
            "not an object",
        ]
    }

    found = keys_of(document)

    assert {key_id: key.algorithm_name for key_id, key in found.items()} == {"ed": "EdDSA", "es256": "ES256"}
    assert all(isinstance(key, jwt.PyJWK) for key in found.values())
