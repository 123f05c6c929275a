"""The result of a scenario as one JSON file."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from loadtests.reports.audit import Audit
from loadtests.reports.errors import NotASummary
from loadtests.reports.limits import Check
from loadtests.reports.measurements import Measurement
from loadtests.reports.summary import Machine
from loadtests.reports.verdict import Verdict

VERSION: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioSummary:
    """A scenario that was run, what was measured, and what that means.

    Attributes:
        scenario: its name.
        title: what it does, in a sentence.
        command: what was typed.
        started_at: with its time zone.
        seconds: how long all of it took.
        machine: where it took place; its figures are worth as much as it is.
        processor: what that calls itself; None is not known.
        settings: what the load was, by name.
        checks: each figure with its limit.
        measurements: what was measured, by kind of request.
        remarks: what else a reader should know, in sentences.
        audit: the auditor's report; None when it gave none.
        samples: names of the files that hold every single request, in the run's folder.
    """

    scenario: str
    title: str
    command: str
    started_at: datetime
    seconds: float
    machine: Machine
    processor: str | None
    settings: Mapping[str, int | float | str]
    verdict: Verdict
    checks: tuple[Check, ...]
    measurements: tuple[Measurement, ...]
    remarks: tuple[str, ...]
    audit: Audit | None
    samples: tuple[str, ...]

    @property
    def place(self) -> str:
        """Return the machine in words."""
        memory = "" if self.machine.memory_gib is None else f", {self.machine.memory_gib:g} GiB"
        return f"{self.machine.cores} cores{memory} ({self.processor or 'processor not known'})"


def write_scenario_summary(path: Path, summary: ScenarioSummary) -> None:
    """Write the summary."""
    told = {"version": VERSION, **TypeAdapter(ScenarioSummary).dump_python(summary, mode="json")}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(told, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")


def read_scenario_summary(path: Path) -> ScenarioSummary:
    """Return a summary that was written.

    Raises:
        NotASummary: the file holds something else.
    """
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(told, dict) or told.pop("version", None) != VERSION:
            raise NotASummary(f"{path} is no summary of a scenario of version {VERSION}.")
        return TypeAdapter(ScenarioSummary).validate_python(told)
    except (ValidationError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise NotASummary(f"{path} holds no summary of a scenario: {error}") from error
