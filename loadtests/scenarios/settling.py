"""Asks until an answer is final, as a client of this API would, and tells of every try (R1, R2)."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import gevent

from loadtests.scenarios.answers import MOST_TRIES, NO_ANSWER, Reading, read_answer
from loadtests.scenarios.client import IngressClient, NoAnswer


@dataclass(slots=True, kw_only=True)
class Tried:
    """One try and how it ended; one that is cut off ends as unknown.

    Attributes:
        at: when it began, in seconds since 1970.
        repeated: whether there was a try with the same key before.
        reading: what was read in the answer.
        seconds: how long it took.
    """

    repeated: bool = False
    reading: Reading = NO_ANSWER
    at: float = field(default_factory=time.time)
    seconds: float = 0.0


Ask = Callable[[], Reading]
"""Sends the request once."""
Tell = Callable[[Tried], None]
"""Takes a try that ended."""


def settle(ask: Ask, tell: Tell) -> Reading:
    """Ask, and ask again a bounded number of times while the answer isn't final; return the last reading."""
    reading = _tried(ask, tell, repeated=False)
    for _ in range(MOST_TRIES - 1):
        if reading.pause_seconds is None:
            break
        gevent.sleep(reading.pause_seconds)
        reading = _tried(ask, tell, repeated=True)
    return reading


def post_once(client: IngressClient, path: str, document: Mapping[str, object], headers: Mapping[str, str]) -> Reading:
    """Return what the answer to one request means."""
    try:
        answer = client.post(path, document, headers=headers)
    except NoAnswer:
        return NO_ANSWER
    return read_answer(answer.status, answer.body, retry_after=answer.retry_after)


def _tried(ask: Ask, tell: Tell, *, repeated: bool) -> Reading:
    with timed(tell, repeated=repeated) as tried:
        tried.reading = ask()
    return tried.reading


@contextmanager
def timed(tell: Tell, *, repeated: bool = False) -> Iterator[Tried]:
    """Take the time of a try, and tell of it whatever happens."""
    tried, began = Tried(repeated=repeated), time.perf_counter()
    try:
        yield tried
    finally:
        tried.seconds = time.perf_counter() - began
        tell(tried)
