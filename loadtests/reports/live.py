"""What a person sees while a run goes on: one page of text, made from one frozen view."""

from collections.abc import Iterator
from dataclasses import dataclass
from textwrap import wrap
from typing import Final

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from loadtests.reports.decisions import Decision
from loadtests.reports.evidence import Operator, OrderCounts
from loadtests.reports.sparkline import Look, sparkline
from loadtests.reports.timeline import Moment, Phase, clock
from loadtests.reports.verdict import MOST_PEAK_REPLICAS, OLDEST_AGE_SECONDS, PROMISED_AGE_SECONDS

WIDTH: Final = 100
"""Columns that the page is made for; it also works with fewer."""
SHOWN_DECISIONS: Final = 5
HISTORY_SECONDS: Final = 240.0
# Labels and the figures behind a history take the other columns.
_BESIDE_HISTORY: Final = 34
_MOST_HISTORY: Final = 60
# The operator's longest sentences; always as many lines, so that nothing below them jumps.
_MESSAGE_LINES: Final = 3
_NAMES: Final = ("offered", "accepted", "sold out", "paid", "failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveView:
    """A run at one moment.

    Attributes:
        elapsed_seconds: since the run began.
        total_seconds: how long it will take, about; more may elapse.
        orders: so far; `pending` are those that are open now, as `Moment` has them.
        moments: what was seen so far, the last one just now; only the last minutes are shown.
        reason: the operator's last, in its own word; None when nothing was read.
        message: its arithmetic in a sentence.
        decisions: in the order of time; only the last five are shown.
        note: what the run itself is waiting for or doing.
    """

    operator: Operator
    phase: Phase
    elapsed_seconds: float
    total_seconds: float
    orders: OrderCounts
    moments: tuple[Moment, ...] = ()
    reason: str | None = None
    message: str | None = None
    decisions: tuple[Decision, ...] = ()
    note: str | None = None


def page(now: LiveView) -> RenderableType:
    """Return the page: always 24 lines, so that it doesn't jump and fits into the smallest usual terminal."""
    return _Page(now)


def line(view: LiveView) -> str:
    """Return the view as one line, for a log that isn't a terminal."""
    counts, last = view.orders, _last(view)
    said = (
        f"{clock(view.elapsed_seconds)} {view.phase}:",
        f"{counts.offered:,} offered, {counts.accepted:,} accepted, {counts.sold_out:,} sold out,",
        f"{_count(counts.paid)} paid, {_count(counts.failed)} failed, {_count(counts.pending)} open;",
        f"{_rate(last.accepted_per_s)}/s accepted;",
        f"lag {_count(last.lag)}, oldest {_seconds(last.oldest_age_s)},",
        f"replicas {_count(last.ready)} of {_count(last.replicas)} ready;",
        view.reason or "no word from the operator",
    )
    return " ".join(said)


class _Page:
    """The page, laid out when it is known how wide the terminal is."""

    def __init__(self, now: LiveView) -> None:
        self._now = now

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        now, inside = self._now, min(options.max_width, WIDTH) - 4
        parts = (_progress(now, inside), _orders(now), _stock(now), _history(now, inside), *_operator(now, inside))
        title = Text(f"Flash sale, operator {now.operator}", style="bold")
        yield Panel(Group(*parts), title=title, title_align="left", box=box.ROUNDED, width=inside + 4)


def _progress(now: LiveView, width: int) -> RenderableType:
    note = f"  {now.note}" if now.note else ""
    times = f"{clock(now.elapsed_seconds)} of about {clock(now.total_seconds)}"
    row = Table.grid(expand=True)
    row.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    row.add_column(no_wrap=True, justify="right")
    row.add_row(Text.assemble((now.phase.upper(), "bold cyan"), (note, "dim")), times)
    done = min(now.elapsed_seconds, now.total_seconds)
    # In a row of its own, for the bar alone doesn't end its line.
    bar = Table.grid()
    bar.add_row(ProgressBar(total=max(1.0, now.total_seconds), completed=done, width=width))
    return Group(row, bar)


def _orders(now: LiveView) -> RenderableType:
    last, counts = _last(now), now.orders
    table = _columns(len(_NAMES) + 1)
    table.add_row("Orders", *(Text(name, style="dim") for name in (*_NAMES, "open")))
    every = (counts.offered, counts.accepted, counts.sold_out, counts.paid, counts.failed, counts.pending)
    table.add_row("so far", *(Text(_count(count), style="bold") for count in every))
    answered = (_rate(last.offered_per_s), _rate(last.accepted_per_s), "")
    table.add_row("a second", *answered, _rate(last.paid_per_s), _rate(last.failed_per_s), "")
    return table


def _columns(count: int) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, min_width=9)
    for _ in range(count):
        table.add_column(no_wrap=True, justify="right", min_width=9)
    return table


def _stock(now: LiveView) -> RenderableType:
    last = _last(now)
    age = Text(_seconds(last.oldest_age_s), style=_age_style(last.oldest_age_s))
    return Text.assemble(
        "\nStock      lag ", (_count(last.lag), "bold"),
        "   replicas ", _blocks(last), f"{_count(last.ready)} of {_count(last.replicas)} ready",
        "   oldest record ", age, (f" (promise {PROMISED_AGE_SECONDS:.0f} s)", "dim"),
        no_wrap=True, overflow="ellipsis",
    )  # fmt: skip


def _blocks(last: Moment) -> Text:
    if last.ready is None or last.replicas is None:
        return Text()
    return Text.assemble(("■" * last.ready, "green"), ("□" * max(0, last.replicas - last.ready), "yellow"), " ")


def _history(now: LiveView, width: int) -> RenderableType:
    # With the least that a full bar stands for: what hardly moves shall look so.
    looks: tuple[tuple[str, Look, float], ...] = (
        ("orders/s", lambda each: each.accepted_per_s, 10.0),
        ("lag", lambda each: each.lag, 100.0),
        ("replicas", lambda each: each.ready, MOST_PEAK_REPLICAS),
    )
    table = Table.grid(padding=(0, 2, 0, 0))
    for _ in range(3):
        table.add_column(no_wrap=True, overflow="ellipsis", min_width=9)
    columns = max(8, min(_MOST_HISTORY, width - _BESIDE_HISTORY))
    for name, look, least in looks:
        bars, most = sparkline(now.moments, look, seconds=HISTORY_SECONDS, columns=columns, least=least)
        table.add_row(
            name, Text(bars, style="blue"), Text(f"most {_rate(most)} in {HISTORY_SECONDS / 60:.0f} min", style="dim")
        )
    return Group(Text(), table)


def _operator(now: LiveView, width: int) -> Iterator[RenderableType]:
    yield Text.assemble("\nOperator   ", _reason(now), no_wrap=True, overflow="ellipsis")
    yield from _exactly(_MESSAGE_LINES, [_cut(each) for each in wrap(now.message or "", width)])
    yield Text("Last decisions", style="dim", no_wrap=True)
    shown = [_decision(decision) for decision in now.decisions[-SHOWN_DECISIONS:]]
    yield from _exactly(SHOWN_DECISIONS, shown or [Text("none yet", style="dim")])


def _reason(now: LiveView) -> Text:
    if now.operator is Operator.OFF:
        return Text(f"off: the replicas stay as they are ({now.reason or 'nothing read yet'})", style="yellow")
    return Text(now.reason or "nothing read yet", style="bold")


def _decision(decision: Decision) -> Text:
    change = f"{decision.before} → {decision.after}"
    head = f"{clock(decision.seconds):>6}  {change:<7}  "
    reason = (f"{decision.reason:<10}", "bold")
    return Text.assemble(head, reason, f"  {decision.observed}", no_wrap=True, overflow="ellipsis")


def _cut(text: str) -> Text:
    return Text(text, no_wrap=True, overflow="ellipsis")


def _exactly(count: int, lines: list[Text]) -> list[Text]:
    return [*lines[:count], *(Text() for _ in range(count - len(lines)))]


def _last(now: LiveView) -> Moment:
    return now.moments[-1] if now.moments else Moment(seconds=now.elapsed_seconds, phase=now.phase)


def _age_style(age: float | None) -> str:
    if age is None or age <= PROMISED_AGE_SECONDS:
        return "bold"
    return "bold red" if age > OLDEST_AGE_SECONDS else "bold yellow"


def _count(number: int | None) -> str:
    return "?" if number is None else f"{number:,}"


def _rate(rate: float | None) -> str:
    return "?" if rate is None else f"{rate:,.0f}"


def _seconds(seconds: float | None) -> str:
    return "?" if seconds is None else f"{seconds:.1f} s"
