"""One shopper's order: tried, perhaps repeated under the same key, and every try written down."""

import time
from collections.abc import Callable, Mapping
from uuid import uuid4

import gevent

from loadtests.scenarios.answers import MOST_TRIES, NO_ANSWER, Reading, read_answer
from loadtests.scenarios.choices import Choice
from loadtests.scenarios.client import IngressClient, NoAnswer
from loadtests.witness import Attempt

PATH = "/api/v1/orders"
# In the report, a repeat is a line of its own: its times say nothing about the first tries.
REPEAT_NAME = f"{PATH} (repeated)"

Report = Callable[[str, Attempt], None]
"""Takes the name for locust's report, and a try that ended."""


class Checkout:
    """Where orders are placed."""

    def __init__(self, client: IngressClient, *, tokens: Mapping[int, str], report: Report) -> None:
        """Take who is asked, everybody's token, and who is told of every try."""
        self._client = client
        self._tokens = tokens
        self._report = report

    def order(self, choice: Choice) -> None:
        """Place an order; ask again, a bounded number of times, where a client of this API would (R1, R2)."""
        key = str(uuid4())
        pause = self._tried(choice, key=key, name=PATH).pause_seconds
        for _ in range(MOST_TRIES - 1):
            if pause is None:
                return
            gevent.sleep(pause)
            pause = self._tried(choice, key=key, name=REPEAT_NAME).pause_seconds

    def _tried(self, choice: Choice, *, key: str, name: str) -> Reading:
        """Return what a try brought, after it was reported; one that is cut off is reported as unknown."""
        at, began = time.time(), time.perf_counter()
        reading = NO_ANSWER
        try:
            reading = self._ask(choice, key)
        finally:
            self._report(
                name,
                Attempt(
                    at=at,
                    key=key,
                    user_id=choice.user_id,
                    product_id=choice.product_id,
                    outcome=reading.outcome,
                    order_id=reading.order_id,
                    status=reading.status,
                    seconds=time.perf_counter() - began,
                ),
            )
        return reading

    def _ask(self, choice: Choice, key: str) -> Reading:
        wanted = {"lines": [{"product_id": choice.product_id, "quantity": 1}]}
        headers = {"Authorization": f"Bearer {self._tokens[choice.user_id]}", "Idempotency-Key": key}
        try:
            answer = self._client.post(PATH, wanted, headers=headers)
        except NoAnswer:
            return NO_ANSWER
        return read_answer(answer.status, answer.body, retry_after=answer.retry_after)
