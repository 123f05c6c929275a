"""The result of a run as one JSON file; its form is `summary.schema.json` beside this module."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from loadtests.reports.decisions import Decision
from loadtests.reports.errors import NotASummary
from loadtests.reports.evidence import Evidence
from loadtests.reports.limits import Check
from loadtests.reports.verdict import Verdict, checks, verdict

SCHEMA: Final = Path(__file__).with_name("summary.schema.json")
VERSION: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Where a run took place.

    Attributes:
        cores: that processes may use.
        memory_gib: None when not known.
    """

    cores: int
    memory_gib: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What was run.

    Attributes:
        started_at: with its time zone; second 0 of the timeline and of the decisions.
        peak_per_s: the most orders a second.
        delay_ms: the fault delay of each record.
    """

    started_at: datetime
    peak_per_s: float
    delay_ms: float
    machine: Machine


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """How long a client waits until its order is accepted, in milliseconds."""

    p50: float
    p95: float
    p99: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A run, what was seen of it, and what that means.

    Attributes:
        latency_ms: of accepted orders; None when none was accepted.
        decisions: in the order of time.
    """

    verdict: Verdict
    run: Run
    evidence: Evidence
    latency_ms: Latency | None
    decisions: tuple[Decision, ...]
    checks: tuple[Check, ...]


def summarize(run: Run, evidence: Evidence, *, latency_ms: Latency | None, decisions: tuple[Decision, ...]) -> Summary:
    """Return the summary with its checks and verdict."""
    return Summary(
        verdict=verdict(evidence),
        run=run,
        evidence=evidence,
        latency_ms=latency_ms,
        decisions=decisions,
        checks=checks(evidence),
    )


def write_summary(path: Path, summary: Summary) -> None:
    """Write the summary; run and evidence stand flat beside the verdict, so that each figure has one short name."""
    parts = TypeAdapter(Summary).dump_python(summary, mode="json")
    run, evidence = parts.pop("run"), parts.pop("evidence")
    told = {"version": VERSION, "verdict": parts.pop("verdict"), **run, **evidence, **parts}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(told, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")


def read_summary(path: Path) -> Summary:
    """Return a summary that was written.

    Raises:
        NotASummary: the file holds something else.
    """
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(told, dict) or told.get("version") != VERSION:
            raise NotASummary(f"{path} is no summary of version {VERSION}.")
        # Each part takes its own names out of the flat document.
        return TypeAdapter(Summary).validate_python({**told, "run": told, "evidence": told})
    except (ValidationError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise NotASummary(f"{path} holds no summary: {error}") from error
