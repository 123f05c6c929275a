"""A limit as a check: its value beside it, and whether it was kept. Nothing that isn't known passes."""

from dataclasses import dataclass
from enum import StrEnum


class Subject(StrEnum):
    """What a check is about."""

    MACHINE = "machine"
    """Whether this machine can be compared at all."""
    SAFETY = "safety"
    """Nothing sold twice, nothing accepted and lost: holds on every machine."""
    PROMISE = "promise"
    """What the operator is for."""
    FAILURE = "failure"
    """What goes wrong without it, and that nothing else is the reason."""
    AIM = "aim"
    """What is aimed at, and reported; a run that misses it has passed all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A value beside its limit.

    Attributes:
        name: what was looked at, as a person would say it.
        value: None when not known; then it didn't pass. A count is an int, also when it is read from a file.
        unit: of value and limit: `%`, `s`; empty for a count.
        limit: in words, with its unit.
    """

    subject: Subject
    name: str
    value: int | float | None
    unit: str
    limit: str
    passed: bool

    @property
    def shown(self) -> str:
        """Return the value with its unit, or that it isn't known."""
        if self.value is None:
            return "not known"
        # Two decimals, so that 97.99 % isn't shown as the 98 % that it just missed.
        number = f"{self.value:,}" if isinstance(self.value, int) else f"{self.value:,.2f}"
        return f"{number} {self.unit}".rstrip()


def percent(part: int | None, whole: int | None) -> float | None:
    """Return the share in percent; None if a part isn't known, and of nothing, which has no share."""
    return None if part is None or not whole else 100 * part / whole


def at_least(limit: float, name: str, value: float | None, *, subject: Subject) -> Check:
    """Return the check of a share in percent."""
    passed = value is not None and value >= limit
    return Check(subject=subject, name=name, value=value, unit="%", limit=f"at least {limit:g} %", passed=passed)


def at_most(limit: float, name: str, value: float | None, *, subject: Subject) -> Check:
    """Return the check of a time in seconds."""
    passed = value is not None and value <= limit
    return Check(subject=subject, name=name, value=value, unit="s", limit=f"at most {limit:g} s", passed=passed)


def exactly(limit: int, name: str, value: int | None, *, subject: Subject) -> Check:
    """Return the check of a count."""
    passed = value == limit
    return Check(subject=subject, name=name, value=value, unit="", limit=f"exactly {limit:,}", passed=passed)


def below(limit: float, name: str, value: float | None, *, unit: str, subject: Subject) -> Check:
    """Return the check of a value that has to be less than its limit."""
    passed = value is not None and value < limit
    return Check(
        subject=subject, name=name, value=value, unit=unit, limit=f"below {limit:,g} {unit}".rstrip(), passed=passed
    )


def above(limit: float, name: str, value: float | None, *, unit: str, subject: Subject) -> Check:
    """Return the check of a value that has to be more than its limit."""
    passed = value is not None and value > limit
    return Check(
        subject=subject, name=name, value=value, unit=unit, limit=f"above {limit:,g} {unit}".rstrip(), passed=passed
    )
