import signal
from collections.abc import Iterator

import pytest

from loadtests.rig.interrupts import Interrupts


@pytest.fixture(autouse=True)
def terminal() -> Iterator[None]:
    """Be as a person starts it, also where these tests run under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


def test_the_first_signal_ends_the_run() -> None:
    interrupts = Interrupts(lambda _text: None)

    with interrupts.watched(), pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGTERM)
    assert interrupts.came


def test_a_second_signal_only_says_that_it_is_being_cleaned_up() -> None:
    said: list[str] = []
    interrupts = Interrupts(said.append)

    with interrupts.watched():
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        interrupts.clean("fault off")
        signal.raise_signal(signal.SIGINT)

    assert said == ["cleaning up: fault off; please wait, it has an end"]


def test_a_signal_between_the_first_one_and_the_clean_up_breaks_nothing() -> None:
    said: list[str] = []
    interrupts = Interrupts(said.append)

    with interrupts.watched():
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    assert len(said) == 1


def test_a_first_signal_during_the_clean_up_breaks_nothing() -> None:
    said: list[str] = []
    interrupts = Interrupts(said.append)

    with interrupts.watched():
        interrupts.clean("fault off")
        signal.raise_signal(signal.SIGTERM)

    assert interrupts.came
    assert len(said) == 1


def test_a_closed_terminal_ends_the_run_too() -> None:
    interrupts = Interrupts(lambda _text: None)

    with interrupts.watched(), pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGHUP)


def test_under_nohup_a_closed_terminal_changes_nothing() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    interrupts = Interrupts(lambda _text: None)
    try:
        with interrupts.watched():
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)

    assert not interrupts.came


def test_a_closed_terminal_takes_no_words_and_does_not_end_the_clean_up() -> None:
    def say(_text: str) -> None:
        raise BrokenPipeError

    interrupts = Interrupts(say)
    with interrupts.watched():
        interrupts.clean("fault off")
        signal.raise_signal(signal.SIGHUP)

    assert interrupts.came


def test_afterwards_signals_do_what_they_did_before() -> None:
    before = signal.getsignal(signal.SIGTERM)

    with Interrupts(lambda _text: None).watched():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before
