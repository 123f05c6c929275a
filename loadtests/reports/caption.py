"""The picture's words: a title that a reader needs no legend for, and the operator's decisions as a list."""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import shorten

from loadtests.reports.decisions import Decision
from loadtests.reports.evidence import Calibration, Evidence, HotProduct
from loadtests.reports.summary import Summary
from loadtests.reports.timeline import clock
from loadtests.reports.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionLine:
    """A line of the list below the picture; `number` is that of the mark, empty for a remark."""

    number: str
    time: str
    change: str
    text: str


def title(summary: Summary) -> str:
    """Return the verdict and what it rests on."""
    return f"{summary.verdict}: {_story(summary)}"


def conditions(summary: Summary) -> str:
    """Return under which conditions it was seen."""
    run, machine = summary.run, summary.run.machine
    memory = "" if machine.memory_gib is None else f" and {machine.memory_gib:.0f} GiB"
    fault = f"each record takes the stock consumer {run.delay_ms:g} ms on purpose" if run.delay_ms else "no fault"
    return (
        f"Operator {summary.evidence.operator}. Up to {run.peak_per_s:g} orders/s; {fault}. "
        f"{machine.cores} cores{memory}."
    )


def figures(summary: Summary) -> str:
    """Return the figures that the limits are about."""
    seen = summary.evidence
    if summary.verdict is Verdict.NOT_COMPARABLE and seen.calibration is not None:
        return _calibration(seen.calibration)
    hot = "" if seen.hot is None else f" Hot product: {_sold(seen.hot)}."
    final = "not seen" if seen.seconds_until_final is None else f"{seen.seconds_until_final:.0f} s"
    age = "not known" if seen.oldest_age_max_s is None else f"{seen.oldest_age_max_s:.0f} s"
    lag = "not known" if seen.lag_max is None else f"{seen.lag_max:,} records"
    return f"Last order to all final: {final}. Oldest record: {age}. Most lag: {lag}.{hot}"


def _calibration(seen: Calibration) -> str:
    final = "not seen" if seen.seconds_until_final is None else f"{seen.seconds_until_final:.0f} s"
    return (
        f"Calibration: {seen.offered:,} of {seen.scheduled:,} orders offered, {seen.accepted:,} accepted. "
        f"Last order to all final: {final}."
    )


def decision_lines(decisions: Sequence[Decision], *, most: int, width: int) -> list[DecisionLine]:
    """Return a line for each decision, at most so many lines with at most so many characters of text."""
    shown = decisions if len(decisions) <= most else decisions[: most - 1]
    lines = [_line(number, decision, width) for number, decision in enumerate(shown, start=1)]
    if len(shown) < len(decisions):
        rest = f"and {len(decisions) - len(shown)} more, in summary.json"
        lines.append(DecisionLine(number="", time="", change="", text=rest))
    return lines


def _line(number: int, decision: Decision, width: int) -> DecisionLine:
    return DecisionLine(
        number=str(number),
        time=clock(decision.seconds),
        change=f"{decision.before} → {decision.after}",
        text=shorten(f"{decision.reason}: {decision.essence}", width=width, placeholder=" …"),
    )


def _story(summary: Summary) -> str:
    seen = summary.evidence
    match summary.verdict:
        case Verdict.INTERRUPTED:
            return "somebody stopped the run, so it shows nothing"
        case Verdict.NOT_COMPARABLE:
            return "too much for this machine even without the fault; none lost"
        case Verdict.FAILED_AS_EXPECTED:
            share = _share(seen.pending_at_load_end, seen.orders.accepted)
            return f"{share} of {seen.orders.accepted:,} orders still pending when the load ended; none lost"
        case Verdict.PASSED:
            orders = seen.orders
            # Told at once, or found out by the saga: out of stock is the only reason for which one may fail here.
            sold_out = None if orders.failed is None else orders.failed + orders.sold_out
            answered = f"{_count(orders.paid)} of {orders.accepted + orders.sold_out:,} orders paid"
            return f"{answered}, {_count(sold_out)} sold out, none lost; {_scaled(seen)}"
        case Verdict.FAILED:
            return _failures(summary)


def _failures(summary: Summary) -> str:
    failed = [check for check in summary.checks if not check.passed]
    first = "; ".join(f"{check.name} {check.shown}, allowed {check.limit}" for check in failed[:2])
    return first if len(failed) <= 2 else f"{first}; and {len(failed) - 2} more"


def _share(part: int | None, whole: int) -> str:
    return "an unknown part" if part is None or not whole else f"{100 * part / whole:.0f} %"


def _count(number: int | None) -> str:
    return "?" if number is None else f"{number:,}"


def _scaled(seen: Evidence) -> str:
    path = (seen.replicas.start, seen.replicas.max, seen.replicas.end)
    return f"replicas {' → '.join(_count(count) for count in path)}"


def _sold(hot: HotProduct) -> str:
    return f"wanted {hot.wanted:,} times, {_count(hot.sold)} of {hot.units:,} sold"
