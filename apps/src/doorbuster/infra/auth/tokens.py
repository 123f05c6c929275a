"""Tokens of users: a JSON Web Token of a known issuer, verified once and remembered until it expires (R20)."""

import hashlib
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import jwt

from doorbuster.infra.auth.jwks import ALGORITHMS, KeyUnknown
from doorbuster.kernel.ids import UserId

LONGEST_TOKEN = 4096
MOST_REMEMBERED = 20_000
ADMIN_ROLE = "admin"
_REQUIRED = ["iss", "aud", "exp", "sub"]
_USER_ID = re.compile(r"[1-9][0-9]{0,17}")


class TokenRefused(Exception):
    """The token proves nothing; the message says why, for the log and not for the caller."""


class AdminTokenRefused(Exception):
    """The token is good, and carries a role that the public port never accepts (R20)."""


class Keys(Protocol):
    """The public keys of one issuer."""

    async def key(self, key_id: str) -> jwt.PyJWK:
        """Return the key; raises KeyUnknown or IssuerUnavailable."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verified:
    user_id: UserId
    expires_at: float


class TokenVerifier:
    """Tells whose token it is."""

    def __init__(
        self, keys_by_issuer: Mapping[str, Keys], *, audience: str, leeway_seconds: float, clock: Callable[[], float]
    ) -> None:
        """Take whom to believe.

        Args:
            keys_by_issuer: the known issuers.
            audience: what `aud` must hold.
            leeway_seconds: how far an issuer's clock may be off.
            clock: seconds since 1970.
        """
        self._keys_by_issuer = keys_by_issuer
        self._audience = audience
        self._leeway_seconds = leeway_seconds
        self._clock = clock
        self._remembered: OrderedDict[bytes, _Verified] = OrderedDict()

    async def user_of(self, token: str) -> UserId:
        """Return the user that the token was issued to.

        Raises:
            TokenRefused: malformed, of an unknown issuer, not for us, expired, or with a wrong signature.
            AdminTokenRefused: it carries an admin role.
            IssuerUnavailable: its issuer's keys could not be read yet.
        """
        if len(token) > LONGEST_TOKEN or not token.isascii():
            raise TokenRefused("too long, or no token")
        # A hash and not the token: a dump of this process's memory holds no token that is only remembered.
        digest = hashlib.sha256(token.encode()).digest()
        known = self._remembered.get(digest)
        if known is None:
            known = await self._verify(token)
            self._remember(digest, known)
        if known.expires_at <= self._clock():
            self._remembered.pop(digest, None)
            raise TokenRefused("expired")
        return known.user_id

    def _remember(self, digest: bytes, verified: _Verified) -> None:
        self._remembered[digest] = verified
        while len(self._remembered) > MOST_REMEMBERED:
            self._remembered.popitem(last=False)

    async def _verify(self, token: str) -> _Verified:
        issuer, key_id = _claimed_origin(token)
        keys = self._keys_by_issuer.get(issuer)
        if keys is None:
            raise TokenRefused("unknown issuer")
        try:
            key = await keys.key(key_id)
        except KeyUnknown as exc:
            raise TokenRefused("unknown key") from exc
        claims = self._checked_claims(token, key, issuer)
        if _has_admin_role(claims):
            raise AdminTokenRefused
        expires_at = float(claims["exp"]) + self._leeway_seconds  # type: ignore[arg-type] # jwt checked that it is a number
        return _Verified(user_id=_user_id_of(claims["sub"]), expires_at=expires_at)

    def _checked_claims(self, token: str, key: jwt.PyJWK, issuer: str) -> dict[str, object]:
        try:
            # The one algorithm of this key, which is one of ALGORITHMS: the token's own header chooses nothing.
            claims: dict[str, object] = jwt.decode(
                token,
                key=key,
                algorithms=sorted(ALGORITHMS & {key.algorithm_name}),
                audience=self._audience,
                issuer=issuer,
                leeway=self._leeway_seconds,
                options={"require": _REQUIRED},
            )
        except (jwt.PyJWTError, ValueError, TypeError) as exc:
            raise TokenRefused(type(exc).__name__) from exc
        return claims


def _claimed_origin(token: str) -> tuple[str, str]:
    """Return issuer and key id as the token itself says: they only choose the key that it is verified with."""
    try:
        key_id = jwt.get_unverified_header(token).get("kid")
        issuer = jwt.decode(token, options={"verify_signature": False}).get("iss")
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as exc:
        # RecursionError: thousands of brackets in a row are JSON too.
        raise TokenRefused(type(exc).__name__) from exc
    if not isinstance(key_id, str) or not isinstance(issuer, str):
        raise TokenRefused("no key id or issuer")
    return issuer, key_id


def _has_admin_role(claims: Mapping[str, object]) -> bool:
    roles = [claims.get("role"), claims.get("roles")]
    names = [name for entry in roles for name in (entry if isinstance(entry, list) else [entry])]
    return any(isinstance(name, str) and ADMIN_ROLE in name.lower() for name in names)


def _user_id_of(subject: object) -> UserId:
    if not isinstance(subject, str) or not _USER_ID.fullmatch(subject):
        raise TokenRefused("sub is no user's id")
    return UserId(int(subject))
