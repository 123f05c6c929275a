"""An issuer's public keys: fetched from its JSON Web Key Set with bounds, cached, and asked for again when one is new.

A token with an unknown key id must not make us a tool against the issuer: we ask at most every ten seconds.
"""

import asyncio
from collections.abc import Callable, Mapping
from types import MappingProxyType

import httpx
import jwt
import structlog

# Only signatures with a key pair, so that a public key can never be taken for a shared secret (R20).
ALGORITHMS = frozenset({"EdDSA", "ES256"})
FETCH_SECONDS = 2.0
LONGEST_BYTES = 64 * 1024
MOST_KEYS = 32
# Between two fetches: because of an unknown key id; after one that failed; so that a withdrawn key ends.
UNKNOWN_KEY_PAUSE_SECONDS = 10.0
FAILURE_PAUSE_SECONDS = 1.0
OLDEST_SECONDS = 300.0

log = structlog.get_logger()


class IssuerUnavailable(Exception):
    """The issuer's keys were never read, so nothing can be said about its tokens yet."""


class KeyUnknown(Exception):
    """The issuer has no such key."""


class IssuerKeys:
    """The keys of one issuer."""

    def __init__(self, url: str, client: httpx.AsyncClient, *, monotonic: Callable[[], float]) -> None:
        """Take where the keys are and how to get them.

        Args:
            url: address of the JSON Web Key Set.
            client: closed by whoever made it.
            monotonic: seconds that only grow.
        """
        self._url = url
        self._client = client
        self._monotonic = monotonic
        self._keys: Mapping[str, jwt.PyJWK] = MappingProxyType({})
        self._fetched_at: float | None = None
        self._next_fetch = float("-inf")
        self._lock = asyncio.Lock()

    async def key(self, key_id: str) -> jwt.PyJWK:
        """Return the key.

        Raises:
            KeyUnknown: the issuer has no such key.
            IssuerUnavailable: the issuer was never reached.
        """
        if key_id not in self._keys or self._is_old():
            await self._refresh(key_id)
        if key_id in self._keys:
            return self._keys[key_id]
        raise IssuerUnavailable if self._fetched_at is None else KeyUnknown

    def _is_old(self) -> bool:
        return self._fetched_at is None or self._monotonic() - self._fetched_at > OLDEST_SECONDS

    async def _refresh(self, key_id: str) -> None:
        async with self._lock:
            # Whoever waited for the lock finds the answer of the one before.
            if (key_id in self._keys and not self._is_old()) or self._monotonic() < self._next_fetch:
                return
            try:
                self._keys = await self._fetch()
            except (httpx.HTTPError, ValueError, TimeoutError) as exc:
                self._next_fetch = self._monotonic() + FAILURE_PAUSE_SECONDS
                log.warning("issuer_keys_not_fetched", url=self._url, cause=type(exc).__name__)
                return
            self._fetched_at = self._monotonic()
            self._next_fetch = self._fetched_at + UNKNOWN_KEY_PAUSE_SECONDS

    async def _fetch(self) -> Mapping[str, jwt.PyJWK]:
        async with asyncio.timeout(FETCH_SECONDS), self._client.stream("GET", self._url) as response:
            response.raise_for_status()
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > LONGEST_BYTES:
                    raise ValueError(f"the key set is longer than {LONGEST_BYTES} bytes")
        return keys_of(httpx.Response(200, content=bytes(body)).json())


def keys_of(document: object) -> Mapping[str, jwt.PyJWK]:
    """Return the keys of a JSON Web Key Set by id; those without an id or of another algorithm are left out.

    Raises:
        ValueError: it is no key set.
    """
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise ValueError("the document is no JSON Web Key Set")  # noqa: TRY004 - it is about a document, not a call
    keys: dict[str, jwt.PyJWK] = {}
    for entry in entries[:MOST_KEYS]:
        key_id = entry.get("kid") if isinstance(entry, dict) else None
        key = _key_of(entry) if isinstance(key_id, str) else None
        if isinstance(key_id, str) and key is not None:
            keys[key_id] = key
    return MappingProxyType(keys)


def _key_of(entry: dict[str, object]) -> jwt.PyJWK | None:
    try:
        key = jwt.PyJWK(entry)
    except (jwt.PyJWTError, ValueError, TypeError):
        # One key that we can't read doesn't spoil the others.
        return None
    return key if key.algorithm_name in ALGORITHMS else None
