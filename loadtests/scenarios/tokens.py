"""Tokens for all shoppers, fetched before the course begins: logging in is no part of the rush."""

import json
from collections.abc import Mapping, Sequence

import gevent
from gevent.pool import Pool

from loadtests.errors import TokensUnavailable
from loadtests.scenarios.client import IngressClient, NoAnswer

PATH = "/dev/issuer/tokens"
AT_ONCE = 8
TRIES = 3
PAUSE_SECONDS = 1.0


def fetch_tokens(client: IngressClient, users: Sequence[int]) -> Mapping[int, str]:
    """Return a token for each user, from the development issuer. They are good for an hour.

    Raises:
        TokensUnavailable: a user got none, also when asked for again.
    """
    # Greenlets never raise here: gevent would print the same failure once for each user.
    tokens = dict(zip(users, Pool(AT_ONCE).map(lambda user: _token(client, user), users), strict=True))
    without = [user for user, token in tokens.items() if token is None]
    if without:
        raise TokensUnavailable(
            f"{len(without)} of {len(users)} shoppers got no token at {PATH}, user {without[0]} is one of them"
        )
    return {user: token for user, token in tokens.items() if token is not None}


def _token(client: IngressClient, user: int) -> str | None:
    for tried in range(TRIES):
        if tried:
            gevent.sleep(PAUSE_SECONDS)
        try:
            answer = client.post(PATH, {"user_id": user}, headers={})
            return str(json.loads(answer.body)["token"])
        except (NoAnswer, ValueError, KeyError, TypeError):
            continue
    return None
