"""Waits with an end: the only way in which a run waits for the platform."""

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from loadtests.rig.errors import NotReached, QuestionFailed

LOOK_SECONDS = 2.0
# A blip of the API server, or the primary that has just become another.
TRIES = 3
PAUSE_SECONDS = 1.0

Answer = TypeVar("Answer")


def wait_until_none(
    missing: Callable[[], Sequence[str]],
    *,
    within_seconds: float,
    what: str,
    hint: str = "",
    pause: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> float:
    """Return the seconds until nothing was missing any more; there is one look at least.

    A question without an answer counts as something missing: pods and servers come and go while one waits.

    Args:
        missing: says what is still missing.
        within_seconds: how long to wait.
        what: what is waited for, for the message.
        hint: what to do if it doesn't come.
        pause: waits so many seconds.
        clock: tells seconds.

    Raises:
        NotReached: the time is over; the message says what was still missing.
    """
    began = clock()
    while True:
        found = _look(missing)
        elapsed = clock() - began
        if not found:
            return elapsed
        if elapsed >= within_seconds:
            raise NotReached(f"not within {within_seconds:.0f} s: {what} ({'; '.join(found)})", hint=hint)
        pause(LOOK_SECONDS)


def answer_of(
    question: Callable[[], Answer],
    *,
    within_seconds: float,
    pause: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Answer:
    """Return the answer to a question that is asked three times at most.

    Args:
        question: gives the answer, or raises QuestionFailed.
        within_seconds: nobody asks again later than that after the first time.
        pause: waits so many seconds.
        clock: tells seconds.

    Raises:
        QuestionFailed: there was no answer; of several reasons the last.
    """
    until = clock() + within_seconds
    for _ in range(TRIES - 1):
        try:
            return question()
        except QuestionFailed:
            if clock() + PAUSE_SECONDS > until:
                raise
        pause(PAUSE_SECONDS)
    return question()


def _look(missing: Callable[[], Sequence[str]]) -> Sequence[str]:
    try:
        return missing()
    except QuestionFailed as exc:
        return [str(exc)]
