"""Shoppers who charge points, then look at products, then order: all of them each step, so many times, no pause."""

import random
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from http import HTTPStatus

from loadtests.config import LoadPlan, Readers
from loadtests.scenarios.answers import NO_ANSWER, Reading
from loadtests.scenarios.charging import Report, Till, call_of
from loadtests.scenarios.choices import Choice
from loadtests.scenarios.client import IngressClient, NoAnswer
from loadtests.scenarios.crowding import Attendance
from loadtests.scenarios.once import Once, Reports
from loadtests.scenarios.ordering import Checkout
from loadtests.scenarios.settling import Tried, timed
from loadtests.scenarios.tokens import fetch_tokens
from loadtests.witness import CallKind, Outcome

# In the report, all products are one line.
NAME = "/api/v1/products/{product_id}"


class ReadersOnce(Once):
    """Carries the three steps out, one after the other: each is measured by itself."""

    plan_kind = Readers

    def carry_out(self, plan: LoadPlan) -> None:
        """Let all charge, then all look, then all order.

        Raises:
            TokensUnavailable: nothing was begun.
        """
        assert isinstance(plan, Readers)  # noqa: S101 - `plan_kind` says so; for the type checker
        client = IngressClient(plan.base_url, timeout_seconds=plan.timeout_seconds, connections=plan.users)
        try:
            with Reports(plan, self.environment) as reports:
                tokens = fetch_tokens(client, plan.shoppers)
                till = Till(client, tokens=tokens, report=reports.called)
                window = Window(client, report=reports.called)
                checkout = Checkout(client, tokens=tokens, report=reports.ordered)
                with Attendance(plan, most=plan.users) as attendance:
                    count = attendance.count
                    attendance.all_do([partial(_charge, till, plan, user, count) for user in plan.shoppers])
                    attendance.all_do([partial(_look, window, plan, user, count) for user in plan.shoppers])
                    attendance.all_do([partial(_order, checkout, plan, user, count) for user in plan.shoppers])
        finally:
            client.close()


Count = Callable[[], None]


def _charge(till: Till, plan: Readers, user_id: int, count: Count) -> None:
    count()
    till.charge(user_id, plan.charge)


def _look(window: "Window", plan: Readers, user_id: int, count: Count) -> None:
    for number, product_id in enumerate(products_of(plan, user_id)):
        count()
        window.look(user_id, product_id, number)


def _order(checkout: Checkout, plan: Readers, user_id: int, count: Count) -> None:
    for product_id in products_of(plan, user_id):
        count()
        checkout.order(Choice(user_id=user_id, product_id=product_id))


def products_of(plan: Readers, user_id: int) -> Iterator[int]:
    """Yield what a shopper looks at, and later orders: as many products as there are iterations."""
    drawn = random.Random(f"{plan.seed}/{user_id}")  # noqa: S311 - no secret; it must repeat itself
    for _ in range(plan.iterations):
        yield drawn.randrange(plan.first_product, plan.first_product + plan.products)


class Window:
    """Where products are looked at; nobody looks again at what didn't show itself."""

    def __init__(self, client: IngressClient, *, report: Report) -> None:
        """Take who is asked, and who is told of every look."""
        self._client = client
        self._report = report

    def look(self, user_id: int, product_id: int, number: int) -> None:
        """Look at a product, the shopper's look number so and so."""

        def tell(tried: Tried) -> None:
            call = call_of(CallKind.READ, f"{user_id}/{number}", tried, user_id=user_id, about=product_id)
            self._report("GET", NAME, call)

        with timed(tell) as tried:
            tried.reading = self._seen(product_id)

    def _seen(self, product_id: int) -> Reading:
        headers: Mapping[str, str] = {}
        try:
            answer = self._client.get(f"/api/v1/products/{product_id}", headers=headers)
        except NoAnswer:
            return NO_ANSWER
        found = answer.status == HTTPStatus.OK
        return Reading(outcome=Outcome.OK if found else Outcome.FAIL, status=answer.status)
