"""A report as JSON for programs, and as a table for people. Pure."""

from collections.abc import Iterator

import msgspec

from doorbuster.audit.model import Invariant, Report

BREACH = "breach"
NO_BREACH = "no breach"


def as_json(report: Report) -> bytes:
    """Return the report as one JSON document; every invariant is in it, also one that holds."""
    return msgspec.json.encode(
        {
            "verdict": NO_BREACH if report.clean else BREACH,
            "at": report.at,
            "seconds": round(report.seconds, 3),
            "full": report.full,
            "looked_at": dict(report.looked_at),
            "in_flight": {waiting.value: count for waiting, count in report.waiting.items()},
            "invariants": {
                invariant.value: {
                    "breaches": report.counts.get(invariant, 0),
                    "shown": [
                        {"subject": breach.subject.value, "id": breach.shown_id, "detail": breach.detail}
                        for breach in report.shown(invariant)
                    ],
                }
                for invariant in Invariant
            },
        }
    )


def as_table(report: Report) -> str:
    """Return the report as lines: each invariant with its number of breaches, below it the ids."""
    return "\n".join(_lines(report))


def _lines(report: Report) -> Iterator[str]:
    yield f"{'invariant':<34}{'breaches':>9}"
    for invariant in Invariant:
        count = report.counts.get(invariant, 0)
        yield f"{invariant.value:<34}{count:>9}"
        shown = report.shown(invariant)
        for breach in shown:
            yield f"  {breach.subject.value} {breach.shown_id}: {breach.detail}"
        if count > len(shown):
            yield f"  and {count - len(shown)} more"
    yield ""
    yield f"in flight: {_counted({waiting.value: number for waiting, number in report.waiting.items()})}"
    yield f"looked at: {_counted(dict(report.looked_at))}"
    verdict = NO_BREACH if report.clean else BREACH
    yield f"{verdict} at {report.at.isoformat(timespec='seconds')}, seen in {report.seconds:.1f} s"


def _counted(numbers: dict[str, int]) -> str:
    found = [f"{number:,} {name}" for name, number in numbers.items() if number]
    return ", ".join(found) if found else "nothing"
