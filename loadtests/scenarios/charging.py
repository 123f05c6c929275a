"""One shopper's charge of points: tried, perhaps repeated under the same key, and every try written down."""

from collections.abc import Callable, Mapping
from uuid import uuid4

from loadtests.scenarios.answers import Reading
from loadtests.scenarios.client import IngressClient
from loadtests.scenarios.settling import Tried, post_once, settle
from loadtests.witness import Call, CallKind

PATH = "/api/v1/points/charges"

Report = Callable[[str, str, Call], None]
"""Takes method and name for locust's report, and a try that ended."""


class Till:
    """Where points are charged."""

    def __init__(self, client: IngressClient, *, tokens: Mapping[int, str], report: Report) -> None:
        """Take who is asked, everybody's token, and who is told of every try."""
        self._client = client
        self._tokens = tokens
        self._report = report

    def charge(self, user_id: int, points: int) -> Reading:
        """Charge points; ask again, a bounded number of times, where a client of this API would (R1, R2)."""
        key = str(uuid4())
        headers = {"Authorization": f"Bearer {self._tokens[user_id]}", "Idempotency-Key": key}

        def tell(tried: Tried) -> None:
            call = call_of(CallKind.CHARGE, key, tried, user_id=user_id, about=points)
            self._report("POST", PATH, call)

        return settle(lambda: post_once(self._client, PATH, {"amount": points}, headers), tell)


def call_of(kind: CallKind, key: str, tried: Tried, *, user_id: int, about: int) -> Call:
    """Return a try as the witness writes it."""
    reading = tried.reading
    return Call(
        at=tried.at,
        kind=kind,
        key=key,
        user_id=user_id,
        about=about,
        outcome=reading.outcome,
        found_id=reading.order_id,
        status=reading.status,
        seconds=tried.seconds,
    )
