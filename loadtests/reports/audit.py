"""What the auditor said at the end of a load, read from what its job prints. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel, ValidationError

from loadtests.reports.errors import NotAnAudit


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """The auditor's report.

    Attributes:
        verdict: in its own words: `no breach` or `breach`.
        seconds: how long its look took.
        breaches: how many of each invariant.
        shown: what is broken, by id, as far as it was named.
        in_flight: what was still under way, and no breach.
        looked_at: rows by table.
    """

    verdict: str
    seconds: float
    breaches: Mapping[str, int]
    shown: tuple[str, ...]
    in_flight: Mapping[str, int]
    looked_at: Mapping[str, int]

    @property
    def found(self) -> int:
        """How many breaches there are in all."""
        return sum(self.breaches.values())


class _Breach(BaseModel):
    subject: str
    id: str
    detail: str


class _Invariant(BaseModel):
    breaches: int
    shown: list[_Breach]


class _Report(BaseModel):
    verdict: str
    seconds: float
    looked_at: dict[str, int]
    in_flight: dict[str, int]
    invariants: dict[str, _Invariant]


def audit_in(printed: str) -> Audit:
    """Return the report that the auditor's job printed as JSON.

    Raises:
        NotAnAudit: it printed something else.
    """
    try:
        told = _Report.model_validate_json(printed)
    except ValidationError as exc:
        raise NotAnAudit(f"the auditor printed something else than its report: {printed[:200]!r}") from exc
    return Audit(
        verdict=told.verdict,
        seconds=told.seconds,
        breaches={name: each.breaches for name, each in told.invariants.items()},
        shown=tuple(
            f"{name}: {breach.subject} {breach.id}: {breach.detail}"
            for name, each in told.invariants.items()
            for breach in each.shown
        ),
        in_flight=told.in_flight,
        looked_at=told.looked_at,
    )
