from collections.abc import Iterator, Sequence

import pytest

from loadtests.rig.errors import NotReached, QuestionFailed
from loadtests.rig.waiting import LOOK_SECONDS, answer_of, wait_until_none


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def pause(self, seconds: float) -> None:
        self.now += seconds

    def tell(self) -> float:
        return self.now


def wait(answers: Iterator[Sequence[str] | Exception], *, within_seconds: float = 10) -> float:
    clock = Clock()

    def missing() -> Sequence[str]:
        found = next(answers)
        if isinstance(found, Exception):
            raise found
        return found

    return wait_until_none(
        missing, within_seconds=within_seconds, what="rest", hint="look", pause=clock.pause, clock=clock.tell
    )


def test_the_seconds_until_nothing_is_missing_are_returned() -> None:
    assert wait(iter((["a"], ["a"], []))) == 2 * LOOK_SECONDS


def test_nothing_missing_at_once_takes_no_time() -> None:
    assert wait(iter(([],)), within_seconds=0) == 0


def test_when_the_time_is_over_the_message_says_what_is_still_missing() -> None:
    with pytest.raises(NotReached, match=r"not within 4 s: rest \(3 open sagas; lag\)") as failure:
        wait(iter([["3 open sagas", "lag"]] * 9), within_seconds=4)

    assert failure.value.hint == "look"


def test_a_question_without_an_answer_is_asked_again() -> None:
    assert wait(iter((QuestionFailed("no answer"), []))) == LOOK_SECONDS


def test_a_question_that_never_has_an_answer_is_what_is_missing() -> None:
    with pytest.raises(NotReached, match="no answer"):
        wait(iter([QuestionFailed("no answer")] * 9), within_seconds=4)


def asked(answers: Iterator[int | Exception], *, within_seconds: float, takes_seconds: float = 0) -> int:
    clock = Clock()

    def question() -> int:
        clock.pause(takes_seconds)
        found = next(answers)
        if isinstance(found, Exception):
            raise found
        return found

    return answer_of(question, within_seconds=within_seconds, pause=clock.pause, clock=clock.tell)


def test_an_answer_may_come_with_the_third_question() -> None:
    assert asked(iter((QuestionFailed("first"), QuestionFailed("second"), 7)), within_seconds=5) == 7


def test_there_is_no_fourth_question() -> None:
    with pytest.raises(QuestionFailed, match="3"):
        asked(iter([QuestionFailed(str(number)) for number in (1, 2, 3, 4)]), within_seconds=100)


def test_an_answer_that_would_come_too_late_is_not_asked_for() -> None:
    with pytest.raises(QuestionFailed, match="first"):
        asked(iter((QuestionFailed("first"), 7)), within_seconds=5, takes_seconds=60)
