"""Who asks: the Bearer token in front of every route that is not public (R20)."""

from typing import Annotated

import structlog
from fastapi import Depends, Request
from fastapi.security import HTTPBearer
from fastapi.security.http import HTTPAuthorizationCredentials

from doorbuster.api.problems import Code, Problem, ProblemRaised
from doorbuster.api.use_cases import use_cases_of
from doorbuster.infra.auth.jwks import IssuerUnavailable
from doorbuster.infra.auth.tokens import AdminTokenRefused, TokenRefused
from doorbuster.kernel.ids import UserId

_CHALLENGE = 'Bearer realm="doorbuster"'
_NO_TOKEN = Problem(
    status=401,
    code=Code.UNAUTHENTICATED,
    detail="Send a token: Authorization: Bearer …",
    headers={"WWW-Authenticate": _CHALLENGE},
)
# One answer whatever is wrong with the token: a caller who may know has a good one.
_TOKEN_REFUSED = Problem(
    status=401,
    code=Code.UNAUTHENTICATED,
    detail="The token is not valid here, or not any more.",
    headers={"WWW-Authenticate": f'{_CHALLENGE}, error="invalid_token"'},
)
_ADMIN_REFUSED = Problem(
    status=403, code=Code.ADMIN_ROLE_REFUSED, detail="Tokens with an admin role are not accepted on this port."
)
_ISSUER_UNAVAILABLE = Problem(
    status=503, code=Code.ISSUER_UNAVAILABLE, detail="The token's issuer can't be reached; nothing was done."
)
_bearer = HTTPBearer(auto_error=False, bearerFormat="JWT")

log = structlog.get_logger()


async def current_user(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> UserId:
    """Return the user whose token the request carries; any other request ends here."""
    if credentials is None:
        raise ProblemRaised(_NO_TOKEN)
    try:
        return await use_cases_of(request).users.user_of(credentials.credentials)
    except TokenRefused as exc:
        log.info("token_refused", reason=str(exc))
        raise ProblemRaised(_TOKEN_REFUSED) from exc
    except AdminTokenRefused as exc:
        log.warning("admin_token_refused")
        raise ProblemRaised(_ADMIN_REFUSED) from exc
    except IssuerUnavailable as exc:
        raise ProblemRaised(_ISSUER_UNAVAILABLE) from exc


CurrentUser = Annotated[UserId, Depends(current_user)]
