import time
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from doorbuster.infra.auth.jwks import IssuerKeys
from doorbuster.infra.auth.tokens import TokenVerifier
from doorbuster.jobs.issuer import Issuer, UnusableKey, application, read_key

URL = "http://issuer.test/dev/issuer"
KEY = Ed25519PrivateKey.generate()


def client(name: str = "development") -> httpx.AsyncClient:
    issuer = Issuer(KEY, name=name, audience="doorbuster", clock=time.time)
    return httpx.AsyncClient(transport=httpx.ASGITransport(application(issuer)))


async def test_the_api_believes_a_token_of_the_issuer() -> None:
    async with client() as http:
        answer = await http.post(f"{URL}/tokens", json={"user_id": 42, "seconds": 60})
        keys = IssuerKeys(f"{URL}/.well-known/jwks.json", http, monotonic=time.monotonic)
        tokens = TokenVerifier({"development": keys}, audience="doorbuster", leeway_seconds=0, clock=time.time)

        assert answer.status_code == 201
        assert answer.json()["expires_in"] == 60
        assert await tokens.user_of(answer.json()["token"]) == 42


async def test_no_part_of_the_private_key_is_published() -> None:
    async with client() as http:
        (key,) = (await http.get(f"{URL}/.well-known/jwks.json")).json()["keys"]

    assert key.keys() == {"kty", "crv", "x", "kid", "use", "alg"}


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b'{"user_id": 0}', 422),
        (b'{"user_id": true}', 422),
        (b'{"user_id": 1, "seconds": 86401}', 422),
        (b'{"user_id": 1, "role": "admin"}', 422),
        (b"{", 422),
        (b'{"user_id": 1}' + b" " * 2000, 413),
    ],
)
async def test_other_requests_are_refused(content: bytes, status: int) -> None:
    async with client() as http:
        answer = await http.post(f"{URL}/tokens", content=content)

    assert answer.status_code == status
    assert "token" not in answer.json()


def test_an_ed25519_key_is_read(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))

    assert read_key(path).public_key() == KEY.public_key()


def test_without_a_usable_key_it_refuses_to_start(tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    elliptic = ec.generate_private_key(ec.SECP256R1())
    other.write_bytes(elliptic.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    broken = tmp_path / "broken.pem"
    broken.write_text("no key")

    for path, reason in ((None, "set DOORBUSTER"), (broken, "can't be read"), (other, "not an Ed25519 key")):
        with pytest.raises(UnusableKey, match=reason):
            read_key(path)
