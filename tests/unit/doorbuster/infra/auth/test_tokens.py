import base64
import hashlib
import hmac
import json
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import OKPAlgorithm

from doorbuster.infra.auth.jwks import KeyUnknown
from doorbuster.infra.auth.tokens import AdminTokenRefused, TokenRefused, TokenVerifier

ISSUER = "issuer-of-this-test"
KEY = Ed25519PrivateKey.generate()


class FakeKeys:
    def __init__(self) -> None:
        self.asked = 0

    async def key(self, key_id: str) -> jwt.PyJWK:
        self.asked += 1
        if key_id != "known":
            raise KeyUnknown
        return jwt.PyJWK(json.loads(OKPAlgorithm.to_jwk(KEY.public_key())))


class Clock:
    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


def verifier(keys: FakeKeys | None = None, clock: Clock | None = None) -> TokenVerifier:
    return TokenVerifier({ISSUER: keys or FakeKeys()}, audience="doorbuster", leeway_seconds=5, clock=clock or Clock())


def claims(**changes: Any) -> dict[str, Any]:
    whole = {"iss": ISSUER, "aud": "doorbuster", "sub": "7", "exp": int(time.time()) + 600} | changes
    return {name: value for name, value in whole.items() if value is not None}


def token(key: Any = KEY, algorithm: str = "EdDSA", key_id: str | None = "known", **changes: Any) -> str:
    headers = {} if key_id is None else {"kid": key_id}
    return jwt.encode(claims(**changes), key, algorithm=algorithm, headers=headers)


def unsigned(header: dict[str, Any]) -> str:
    parts = (json.dumps(header).encode(), json.dumps(claims()).encode())
    return ".".join([*(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts), ""])


def signed_with_the_public_key(encoding: Encoding, form: PublicFormat) -> str:
    """Return a token whose shared secret is the public key; built by hand, for the library refuses to."""
    secret = KEY.public_key().public_bytes(encoding, form)
    head = unsigned({"alg": "HS256", "typ": "JWT", "kid": "known"}).rstrip(".")
    signature = hmac.new(secret, head.encode(), hashlib.sha256).digest()
    return f"{head}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


async def test_a_good_token_names_its_user() -> None:
    assert await verifier().user_of(token()) == 7


@pytest.mark.parametrize(
    "refused",
    [
        pytest.param(token(exp=int(time.time()) - 60), id="expired"),
        pytest.param(token(exp=None), id="without an end"),
        pytest.param(token(aud="another"), id="for another audience"),
        pytest.param(token(aud=None), id="without an audience"),
        pytest.param(token(iss="somebody"), id="of an unknown issuer"),
        pytest.param(token(iss=None), id="without an issuer"),
        pytest.param(token(sub=None), id="without a subject"),
        pytest.param(token(sub="somebody"), id="of no user"),
        pytest.param(token(sub="0"), id="of user 0"),
        pytest.param(token(sub="-1"), id="of a negative user"),
        pytest.param(token(sub="9" * 30), id="of a user beyond all bounds"),
        pytest.param(token(nbf=int(time.time()) + 600), id="not yet valid"),
        pytest.param(token(key=Ed25519PrivateKey.generate()), id="signed by another key"),
        pytest.param(token(key_id="unknown"), id="with an unknown key id"),
        pytest.param(token(key_id=None), id="without a key id"),
        pytest.param(token(key="s" * 64, algorithm="HS256"), id="signed by a shared secret"),
        pytest.param(
            signed_with_the_public_key(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), id="HS256 by the public PEM"
        ),
        pytest.param(signed_with_the_public_key(Encoding.Raw, PublicFormat.Raw), id="HS256 by the public bytes"),
        pytest.param(unsigned({"alg": "none", "kid": "known"}), id="alg none"),
        pytest.param(unsigned({"alg": "EdDSA", "kid": "known"}), id="without a signature"),
        pytest.param(unsigned({"alg": "ES256", "kid": "known"}), id="of another algorithm than its key"),
        pytest.param(token()[:-4] + "AAAA", id="with a changed signature"),
        pytest.param("", id="empty"),
        pytest.param("a.b.c", id="no token"),
        pytest.param("é.\ud800.☃", id="no ASCII"),
        pytest.param("." * 5000, id="too long"),
        pytest.param(
            ".".join([base64.urlsafe_b64encode(b"[" * 1200).decode().rstrip("=")] * 2 + [""]), id="nested too deep"
        ),
    ],
)
async def test_a_bad_token_is_refused(refused: str) -> None:
    with pytest.raises(TokenRefused):
        await verifier().user_of(refused)


@pytest.mark.parametrize(
    "role", [{"role": "admin"}, {"roles": ["user", "admin"]}, {"roles": "admin"}, {"roles": ["Catalogue-Admin"]}]
)
async def test_a_token_with_an_admin_role_is_refused(role: dict[str, Any]) -> None:
    with pytest.raises(AdminTokenRefused):
        await verifier().user_of(token(**role))


async def test_other_roles_do_not_matter() -> None:
    assert await verifier().user_of(token(roles=["buyer"])) == 7


async def test_a_verified_token_is_remembered_until_it_expires() -> None:
    keys, clock = FakeKeys(), Clock()
    tokens = verifier(keys, clock)
    text = token(exp=int(clock.now) + 100)

    assert [await tokens.user_of(text) for _ in range(3)] == [7, 7, 7]
    assert keys.asked == 1

    clock.now += 106
    with pytest.raises(TokenRefused):
        await tokens.user_of(text)


async def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("doorbuster.infra.auth.tokens.MOST_REMEMBERED", 2)
    keys = FakeKeys()
    tokens = verifier(keys)
    texts = [token(sub=str(user)) for user in (1, 2, 3)]

    for text in (*texts, texts[2], texts[0]):
        await tokens.user_of(text)

    # The first was forgotten for the third, which was remembered.
    assert keys.asked == 4
