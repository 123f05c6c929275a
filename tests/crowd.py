"""Buyers who order without pause and keep record of what they were told: *lost* is judged from that record.

Each order has a key of its own. A key whose answer never came, or that was not accepted, is repeated at the end, so
that afterwards every outcome is known.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import uuid4

import httpx

from tests.integration.polling import seconds_until

PAUSE_SECONDS = 0.05
END_SECONDS = 60
SETTLE_SECONDS = 120

Order = Callable[[str], httpx.Response]
"""Orders one unit under a key; returns the answer."""


@dataclass(slots=True, kw_only=True)
class Shopper:
    """One buyer.

    Attributes:
        accepted: the order's id, by key.
        open: keys that were not accepted, or whose answer never came.
        answers: how often each status was answered.
    """

    order: Order
    accepted: dict[str, str] = field(default_factory=dict)
    open: set[str] = field(default_factory=set)
    answers: dict[int, int] = field(default_factory=dict)

    def buy(self, key: str) -> bool:
        """Order under the key; return whether that was accepted."""
        self.open.add(key)
        try:
            answer = self.order(key)
        except httpx.TransportError:
            return False
        self.answers[answer.status_code] = self.answers.get(answer.status_code, 0) + 1
        if answer.status_code != httpx.codes.ACCEPTED:
            return False
        self.accepted[key] = answer.json()["id"]
        self.open.discard(key)
        return True

    def shop(self, stopping: threading.Event) -> None:
        """Buy until told to stop."""
        while not stopping.wait(PAUSE_SECONDS):
            self.buy(str(uuid4()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """Buyers beside each other."""

    shoppers: Sequence[Shopper]

    def told(self) -> list[str]:
        """Return the ids of all orders that somebody was told of, sorted."""
        return sorted(order_id for shopper in self.shoppers for order_id in list(shopper.accepted.values()))

    def wait_for_more(self, count: int, *, within_seconds: float) -> float:
        """Return the seconds until `count` more orders were accepted."""
        wanted = len(self.told()) + count
        return seconds_until(
            lambda: len(self.told()) >= wanted, within_seconds=within_seconds, what=f"{count} more accepted orders"
        )

    def settle(self) -> None:
        """Repeat every open key until it is accepted; nobody shops any more."""
        for shopper in self.shoppers:
            for key in sorted(shopper.open):
                # Bound as a default: the loop's variables move on.
                seconds_until(
                    lambda key=key, shopper=shopper: shopper.buy(key),  # type: ignore[misc]
                    within_seconds=SETTLE_SECONDS,
                    what=f"an answer to {key}",
                )


@contextmanager
def shopping(*orders: Order) -> Iterator[Crowd]:
    """Have a buyer for each way to order shop until the block ends."""
    stopping = threading.Event()
    crowd = Crowd(shoppers=[Shopper(order=order) for order in orders])
    threads = [threading.Thread(target=shopper.shop, args=(stopping,)) for shopper in crowd.shoppers]
    for thread in threads:
        thread.start()
    try:
        yield crowd
    finally:
        stopping.set()
        for thread in threads:
            thread.join(END_SECONDS)
