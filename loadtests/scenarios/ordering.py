"""One shopper's order: tried, perhaps repeated under the same key, and every try written down."""

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from uuid import uuid4

from loadtests.scenarios.answers import Reading
from loadtests.scenarios.choices import Choice
from loadtests.scenarios.client import IngressClient, NoAnswer
from loadtests.scenarios.settling import Tried, post_once, settle, timed
from loadtests.witness import Attempt, Outcome

PATH = "/api/v1/orders"
CART_PATH = "/api/v1/cart"
CHECKOUT_PATH = f"{CART_PATH}/checkout"
REPEATED = " (repeated)"

Report = Callable[[str, Attempt], None]
"""Takes the name for locust's report, and a try that ended."""


class Checkout:
    """Where orders are placed."""

    def __init__(self, client: IngressClient, *, tokens: Mapping[int, str], report: Report) -> None:
        """Take who is asked, everybody's token, and who is told of every try."""
        self._client = client
        self._tokens = tokens
        self._report = report

    def order(self, choice: Choice) -> Reading:
        """Place an order; ask again, a bounded number of times, where a client of this API would (R1, R2)."""
        document: dict[str, object] = {"lines": [{"product_id": choice.product_id, "quantity": 1}]}
        if choice.coupon_id is not None:
            document["coupon_id"] = choice.coupon_id
        return self._settle(choice, PATH, document, units=None)

    def check_out(self, choice: Choice) -> Reading:
        """Put the product into the shopper's cart, and order all that is in it.

        Where it isn't known what that is, nothing is ordered: nobody could say later whether it was the right thing.
        """
        with timed(lambda tried: None) as put:
            units = self._put_line(choice)
        if units is not None:
            return self._settle(choice, CHECKOUT_PATH, {}, units=units)
        put.reading = Reading(outcome=Outcome.FAIL)
        self._report(CART_PATH, _attempt(choice, str(uuid4()), put, None))
        return put.reading

    def _settle(
        self, choice: Choice, path: str, document: Mapping[str, object], *, units: Mapping[int, int] | None
    ) -> Reading:
        key = str(uuid4())
        headers = {**self._proof(choice), "Idempotency-Key": key}

        def tell(tried: Tried) -> None:
            # In the report, a repeat is a line of its own: its times say nothing about the first tries.
            name = path + REPEATED if tried.repeated else path
            self._report(name, _attempt(choice, key, tried, units))

        return settle(lambda: post_once(self._client, path, document, headers), tell)

    def _put_line(self, choice: Choice) -> Mapping[int, int] | None:
        path = f"{CART_PATH}/lines/{choice.product_id}"
        try:
            answer = self._client.put(path, {"quantity": 1}, headers=self._proof(choice))
            if answer.status != HTTPStatus.OK:
                return None
            return {line["product_id"]: line["quantity"] for line in json.loads(answer.body)["lines"]}
        except (NoAnswer, ValueError, KeyError, TypeError):
            return None

    def _proof(self, choice: Choice) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._tokens[choice.user_id]}"}


def _attempt(choice: Choice, key: str, tried: Tried, units: Mapping[int, int] | None) -> Attempt:
    return Attempt(
        at=tried.at,
        key=key,
        user_id=choice.user_id,
        product_id=choice.product_id,
        outcome=tried.reading.outcome,
        order_id=tried.reading.order_id,
        status=tried.reading.status,
        seconds=tried.seconds,
        units=units,
    )
