"""Shoppers who write down what they were told, in the words of the load test's witness, and the judgement of it."""

import asyncio
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx

from loadtests.checks.listing import list_orders
from loadtests.checks.orders import Judgement, judge
from loadtests.scenarios.answers import NO_ANSWER, Reading, read_answer
from loadtests.witness import Attempt, Outcome, WitnessWriter, read_witness
from tests.integration.apps.platform import Buyer, Platform
from tests.integration.polling import seconds_until

# Some hundred orders while processes die and come back: stock and points are enough for that.
PAUSE_SECONDS = 0.15
END_SECONDS = 30
# A key whose first try had no answer is tried once more, and then left unknown: nobody may judge by it.
TRIES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Witnessed:
    """What shoppers wrote down so far."""

    platform: Platform
    users: Sequence[int]
    file: Path

    def accepted(self) -> list[str]:
        """Return the ids of all orders that somebody read."""
        return [attempt.order_id for attempt in read_witness(self.file) if attempt.order_id is not None]

    def wait_for_more(self, count: int, *, within_seconds: float) -> None:
        """Return when `count` more orders were accepted."""
        wanted = len(self.accepted()) + count
        seconds_until(
            lambda: len(self.accepted()) >= wanted, within_seconds=within_seconds, what=f"{count} more accepted orders"
        )

    def add(self, attempt: Attempt) -> None:
        """Append a line; nobody shops any more."""
        with WitnessWriter(self.file) as witness:
            witness.write(attempt)

    def judged(self) -> Judgement:
        """Return what became of everything, by the shoppers' own record and their own lists."""
        front = self.platform.front
        tokens = {user: front.token(user) for user in self.users}

        async def token_of(_: httpx.AsyncClient, user: int) -> str:
            return tokens[user]

        lists = asyncio.run(list_orders(front.address, self.users, token_of=token_of))
        return judge(read_witness(self.file), lists)


@contextmanager
def shopping_witnessed(platform: Platform, users: Sequence[int], *, product: int, file: Path) -> Iterator[Witnessed]:
    """Have each user buy one unit after the other until the block ends."""
    stopping, lock = threading.Event(), threading.Lock()
    buyers = {user: platform.buyer(user) for user in users}
    with WitnessWriter(file) as witness:

        def shop(user: int) -> None:
            while not stopping.wait(PAUSE_SECONDS):
                for attempt in _tries(buyers[user], user, product):
                    with lock:
                        witness.write(attempt)

        threads = [threading.Thread(target=shop, args=(user,)) for user in users]
        for thread in threads:
            thread.start()
        try:
            yield Witnessed(platform=platform, users=users, file=file)
        finally:
            stopping.set()
            for thread in threads:
                thread.join(END_SECONDS)


def attempt_of(*, user: int, product: int, key: str, reading: Reading) -> Attempt:
    """Return a line of the record, as if it had taken no time."""
    return Attempt(
        at=time.time(),
        key=key,
        user_id=user,
        product_id=product,
        outcome=reading.outcome,
        order_id=reading.order_id,
        status=reading.status,
        seconds=0.0,
    )


def _tries(buyer: Buyer, user: int, product: int) -> Iterator[Attempt]:
    key = str(uuid4())
    for _ in range(TRIES):
        reading = _try(buyer, key, product)
        yield attempt_of(user=user, product=product, key=key, reading=reading)
        if reading.outcome is not Outcome.UNKNOWN:
            return


def _try(buyer: Buyer, key: str, product: int) -> Reading:
    try:
        answer = buyer.buy(key, (product, 1))
    except httpx.TransportError:
        return NO_ANSWER
    return read_answer(answer.status_code, answer.content, retry_after=answer.headers.get("Retry-After"))
