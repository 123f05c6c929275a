"""Ctrl-C, SIGTERM and a closed terminal: the first ends the run, all others only say that it is being cleaned up."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """Turns the first signal into KeyboardInterrupt. Later ones, and all during a clean-up, get an answer only.

    Attributes:
        came: there was a signal.
        ended_run: there was one before the clean-up, so the run had no end of its own.
        over: what was watched has ended, without an exception.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        """Take what shows a sentence to the person."""
        self._say = say
        self._cleaning = "what the run changed is about to be brought back"
        self._deaf = False
        self.came = False
        self.ended_run = False
        self.over = False

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Handle signals while the block runs; afterwards they do what they did before."""
        # Under nohup the terminal may go, and the run goes on.
        heard = [each for each in SIGNALS if each is not signal.SIGHUP or signal.getsignal(each) != signal.SIG_IGN]
        before = {each: signal.signal(each, self._handle) for each in heard}
        try:
            yield
            self.over = True
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)

    def clean(self, what: str) -> None:
        """From now on nothing is interrupted.

        Args:
            what: what is being done, for the answer.
        """
        self._deaf = True
        self._cleaning = what

    def _handle(self, _signal: int, _frame: FrameType | None) -> None:
        self.came = True
        if self._deaf:
            # A terminal that was closed takes no words; the clean-up goes on.
            with suppress(OSError):
                self._say(f"cleaning up: {self._cleaning}; please wait, it has an end")
            return
        self._deaf = True
        self.ended_run = True
        raise KeyboardInterrupt
