"""Shows a person what happens: one line a step with its elapsed time, and a heartbeat while a long one runs."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

HEARTBEAT_SECONDS = 30.0


class Progress:
    """Prints steps as they start and end. Steps may run in several threads at once.

    Plain lines and no moving bars, so that a log of it reads as well as a terminal.
    """

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._clock = clock
        self._began = clock()
        self._lock = threading.Lock()

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Announce a step, beat while it runs, and print how long it took or that it failed."""
        began = self._clock()
        ended = threading.Event()
        beat = threading.Thread(target=self._beat, args=(title, began, ended), daemon=True)
        beat.start()
        try:
            yield
        except BaseException:
            self._line("[red]✗[/]", title, f"failed after {_duration(self._clock() - began)}")
            raise
        else:
            self._line("[green]✓[/]", title, _duration(self._clock() - began))
        finally:
            ended.set()

    def cached(self, title: str) -> None:
        """Say that a step had nothing to do."""
        self._line("[dim]·[/]", title, "[dim]cached[/]")

    def note(self, text: str) -> None:
        """Print one plain line."""
        self._line("[cyan]-[/]", text, "")

    def _beat(self, title: str, began: float, ended: threading.Event) -> None:
        while not ended.wait(HEARTBEAT_SECONDS):
            self._line("[yellow]…[/]", title, f"{_duration(self._clock() - began)} so far")

    def _line(self, mark: str, title: str, tail: str) -> None:
        elapsed = _duration(self._clock() - self._began)
        with self._lock:
            self._console.print(f"[dim]{elapsed:>7}[/] {mark} {title}  [dim]{tail}[/]", highlight=False, soft_wrap=True)


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d} min"
