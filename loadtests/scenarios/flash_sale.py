"""The flash sale: a course of shoppers who each order one unit, a few of them the hot product.

Some may redeem a coupon, and some order what is in their cart.
"""

from collections.abc import Iterator
from functools import partial

from loadtests.config import LoadPlan, Rush
from loadtests.scenarios.choices import Choice, choices
from loadtests.scenarios.claims import claim_coupons
from loadtests.scenarios.client import IngressClient
from loadtests.scenarios.once import Once, Reports
from loadtests.scenarios.opening import Act, carry_out_open
from loadtests.scenarios.ordering import Checkout
from loadtests.scenarios.tokens import fetch_tokens


class FlashSale(Once):
    """Carries a rush out: fetches the tokens, opens the door, waits for the last answers."""

    plan_kind = Rush

    def carry_out(self, plan: LoadPlan) -> None:
        """Carry the rush out.

        Raises:
            TokensUnavailable: the course was not begun.
            CouponsUnavailable: the same.
        """
        assert isinstance(plan, Rush)  # noqa: S101 - `plan_kind` says so; for the type checker
        client = IngressClient(plan.base_url, timeout_seconds=plan.timeout_seconds, connections=plan.most_in_flight)
        try:
            with Reports(plan, self.environment) as reports:
                tokens = fetch_tokens(client, sorted({choice.user_id for choice in choices(plan)}))
                if plan.coupon is not None:
                    holders = [choice.user_id for choice in choices(plan) if choice.coupon_id is not None]
                    claim_coupons(client, plan.coupon, {user: tokens[user] for user in holders})
                checkout = Checkout(client, tokens=tokens, report=reports.ordered)
                carry_out_open(plan, plan.arrivals, _acts(plan, checkout))
        finally:
            client.close()


def _acts(rush: Rush, checkout: Checkout) -> Iterator[tuple[float, Act]]:
    for moment, choice in zip(rush.arrivals.arrival_times(), choices(rush), strict=True):
        yield moment, partial(_buy, checkout, choice)


def _buy(checkout: Checkout, choice: Choice) -> None:
    checkout.check_out(choice) if choice.cart else checkout.order(choice)
