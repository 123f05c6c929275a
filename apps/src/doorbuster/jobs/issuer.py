"""The development issuer of tokens: `python -m doorbuster.jobs.issuer` (R20).

It gives a token for any user to anybody who asks. For local clusters and tests: a chart refuses it in production, and
the API believes it only where the settings name it.
"""

import asyncio
import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import jwt
import structlog
import uvloop
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.algorithms import OKPAlgorithm
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from doorbuster.infra.logging import configure
from doorbuster.infra.process.admin import AdminServer
from doorbuster.infra.process.http_server import serve_until
from doorbuster.infra.process.signals import stop_event
from doorbuster.settings import Settings

LONGEST_TOKEN_SECONDS = 24 * 3600
GREATEST_USER_ID = 2**53
LONGEST_BODY_BYTES = 1024
DRAIN_SECONDS = 5.0

log = structlog.get_logger()


class UnusableKey(Exception):
    """The private key's file is missing, or holds no Ed25519 key in PEM."""


class TokenRequest(BaseModel):
    """For whom a token is, and for how long."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    user_id: Annotated[int, Field(ge=1, le=GREATEST_USER_ID)]
    seconds: Annotated[int, Field(ge=1, le=LONGEST_TOKEN_SECONDS)] = 3600


class Issuer:
    """Signs tokens with one key."""

    def __init__(self, key: Ed25519PrivateKey, *, name: str, audience: str, clock: Callable[[], float]) -> None:
        """Take who signs.

        Args:
            key: the private key.
            name: what tokens carry as `iss`.
            audience: what they carry as `aud`.
            clock: seconds since 1970.
        """
        public: dict[str, str] = json.loads(OKPAlgorithm.to_jwk(key.public_key()))
        self._key = key
        self._name = name
        self._audience = audience
        self._clock = clock
        # A new key has a new id, so that the API asks for it.
        self._key_id = hashlib.sha256(public["x"].encode()).hexdigest()[:16]
        self._key_set = {"keys": [{**public, "kid": self._key_id, "use": "sig", "alg": "EdDSA"}]}

    async def keys(self, _: Request) -> Response:
        """Answer with the public key."""
        return JSONResponse(self._key_set)

    async def issue(self, request: Request) -> Response:
        """Answer with a token; 422 if the request isn't as it should be."""
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > LONGEST_BODY_BYTES:
                return _refusal(413, "the body is too long")
        try:
            wanted = TokenRequest.model_validate_json(bytes(body))
        except ValidationError as exc:
            return _refusal(422, str(exc.errors(include_url=False, include_input=False)[0]["msg"]))
        return JSONResponse({"token": self.token(wanted), "expires_in": wanted.seconds}, status_code=201)

    def token(self, wanted: TokenRequest) -> str:
        """Return a signed token."""
        now = int(self._clock())
        claims = {
            "iss": self._name,
            "aud": self._audience,
            "sub": str(wanted.user_id),
            "iat": now,
            "exp": now + wanted.seconds,
        }
        return jwt.encode(claims, self._key, algorithm="EdDSA", headers={"kid": self._key_id})


def application(issuer: Issuer) -> Starlette:
    """Return the issuer as an ASGI application."""
    return Starlette(
        routes=[
            Route("/dev/issuer/.well-known/jwks.json", issuer.keys),
            Route("/dev/issuer/tokens", issuer.issue, methods=["POST"]),
        ]
    )


def read_key(path: Path | None) -> Ed25519PrivateKey:
    """Return the private key in a PEM file.

    Raises:
        UnusableKey: there is none.
    """
    if path is None:
        raise UnusableKey("set DOORBUSTER_ISSUER__PRIVATE_KEY_FILE to a file with an Ed25519 private key in PEM")
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as exc:
        raise UnusableKey(f"{path} can't be read as a private key in PEM") from exc
    if not isinstance(key, Ed25519PrivateKey):
        raise UnusableKey(f"the key in {path} is not an Ed25519 key")
    return key


def main() -> None:
    """Run until SIGTERM."""
    settings = Settings()
    configure(settings.log_level)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    key = read_key(settings.issuer.private_key_file)
    issuer = Issuer(key, name=settings.issuer.name, audience=settings.auth.audience, clock=time.time)
    admin = AdminServer()
    listening = asyncio.Event()
    with stop_event() as stop:
        await admin.start(settings.admin_port, ready=lambda: listening.is_set() and not stop.is_set())
        log.warning("development_issuer_started", port=settings.issuer.port, issuer=settings.issuer.name)
        await serve_until(
            stop,
            application(issuer),
            port=settings.issuer.port,
            drain_seconds=DRAIN_SECONDS,
            listening=listening.set,
        )
        await admin.stop()


def _refusal(status: int, detail: str) -> Response:
    return JSONResponse({"status": status, "detail": detail}, status_code=status, media_type="application/problem+json")


if __name__ == "__main__":
    main()
