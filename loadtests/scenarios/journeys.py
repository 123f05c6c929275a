"""Journeys: shoppers who each charge points, and then order one product after the other."""

from collections.abc import Iterator
from functools import partial

from loadtests.config import Journeys, LoadPlan
from loadtests.scenarios.charging import Till
from loadtests.scenarios.choices import Choice
from loadtests.scenarios.client import IngressClient
from loadtests.scenarios.once import Once, Reports
from loadtests.scenarios.opening import Act, carry_out_open
from loadtests.scenarios.ordering import Checkout
from loadtests.scenarios.tokens import fetch_tokens
from loadtests.witness import Outcome


class JourneysOnce(Once):
    """Carries journeys out: each arrival is another shopper's."""

    plan_kind = Journeys

    def carry_out(self, plan: LoadPlan) -> None:
        """Carry the journeys out.

        Raises:
            TokensUnavailable: the course was not begun.
        """
        assert isinstance(plan, Journeys)  # noqa: S101 - `plan_kind` says so; for the type checker
        client = IngressClient(plan.base_url, timeout_seconds=plan.timeout_seconds, connections=plan.most_in_flight)
        try:
            with Reports(plan, self.environment) as reports:
                tokens = fetch_tokens(client, plan.shoppers[: plan.arrivals.scheduled])
                till = Till(client, tokens=tokens, report=reports.called)
                checkout = Checkout(client, tokens=tokens, report=reports.ordered)
                carry_out_open(plan, plan.arrivals, _acts(plan, till, checkout), requests=plan.requests)
        finally:
            client.close()


def _acts(plan: Journeys, till: Till, checkout: Checkout) -> Iterator[tuple[float, Act]]:
    for moment, user_id in zip(plan.arrivals.arrival_times(), plan.shoppers, strict=False):
        yield moment, partial(_journey, plan, till, checkout, user_id)


def _journey(plan: Journeys, till: Till, checkout: Checkout, user_id: int) -> None:
    # Without points nobody goes shopping; what wasn't ordered is missing in the share of what succeeded.
    if till.charge(user_id, plan.charge).outcome is not Outcome.OK:
        return
    for product_id in range(plan.first_product, plan.first_product + plan.products):
        checkout.order(Choice(user_id=user_id, product_id=product_id))
