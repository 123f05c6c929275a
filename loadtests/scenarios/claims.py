"""Coupons for those who will redeem one, claimed before the course begins."""

from collections.abc import Mapping

from gevent.pool import Pool

from loadtests.errors import CouponsUnavailable
from loadtests.scenarios.client import IngressClient
from loadtests.scenarios.settling import Tried, post_once, settle
from loadtests.witness import Outcome

AT_ONCE = 8


def issues_path(coupon: int) -> str:
    """Return where a coupon is asked for."""
    return f"/api/v1/coupons/{coupon}/issues"


def claim_coupons(client: IngressClient, coupon: int, tokens: Mapping[int, str]) -> None:
    """Have the coupon issued to each of these users; an issue that is accepted can be redeemed at once (R16).

    Raises:
        CouponsUnavailable: a user has none, also when asked for again.
    """
    outcomes = Pool(AT_ONCE).map(lambda token: _claimed(client, coupon, token), tokens.values())
    without = [user for user, outcome in zip(tokens, outcomes, strict=True) if outcome is not Outcome.OK]
    if without:
        raise CouponsUnavailable(
            f"{len(without)} of {len(tokens)} shoppers got no coupon {coupon}, user {without[0]} is one of them"
        )


def _claimed(client: IngressClient, coupon: int, token: str) -> Outcome:
    def ignore(_tried: Tried) -> None:
        """Nothing of the preparation is judged."""

    headers = {"Authorization": f"Bearer {token}"}
    return settle(lambda: post_once(client, issues_path(coupon), {}, headers), ignore).outcome
