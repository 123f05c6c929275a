"""What `make doctor` says: one finding a fact, and the plan that follows from all of them."""

from dataclasses import dataclass
from enum import StrEnum

from doorbuster_cluster.settings import EngineChoice, ImagesChoice


class Status(StrEnum):
    """How a finding is to be read."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        subject: what, in a word or two.
        status: whether it is fine, may turn out badly, or makes `make up` impossible.
        seen: what is there, as a short sentence.
        why: why it matters; empty when it is fine.
        command: what to type or do against it; empty when it is fine.
    """

    subject: str
    status: Status
    seen: str
    why: str = ""
    command: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How `make up` goes about it.

    Attributes:
        engine: EXISTING or OWN; None when neither can be had, and a problem says why.
        images: PULL or BUILD; AUTO when that can't be known before the packages are installed: install them, then
            collect the facts again.
        packages: Debian packages to install first.
    """

    engine: EngineChoice | None
    images: ImagesChoice
    packages: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """All findings and the plan."""

    findings: tuple[Finding, ...]
    plan: Plan

    @property
    def problems(self) -> tuple[Finding, ...]:
        """The findings that make `make up` impossible."""
        return tuple(finding for finding in self.findings if finding.status is Status.PROBLEM)


def fine(subject: str, seen: str) -> Finding:
    """Return a finding that needs nothing."""
    return Finding(subject=subject, status=Status.OK, seen=seen)


def warning(subject: str, seen: str, *, why: str, command: str) -> Finding:
    """Return a finding that may turn out badly."""
    return Finding(subject=subject, status=Status.WARNING, seen=seen, why=why, command=command)


def problem(subject: str, seen: str, *, why: str, command: str) -> Finding:
    """Return a finding that makes `make up` impossible."""
    return Finding(subject=subject, status=Status.PROBLEM, seen=seen, why=why, command=command)
