"""Tells about a scaler: metrics always, a line and Events when something changed, the status when it is worth it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

import structlog

from doorbuster_operator.model.decision_record import Condition
from doorbuster_operator.ports import OperatorError, ScalerObject, Scalers, Target
from doorbuster_operator.reconcilers.actions import Outcome
from doorbuster_operator.reconcilers.conditions import TRUE, Verdict, changes, next_conditions, not_ready, verdicts
from doorbuster_operator.reconcilers.measures import measure_condition, measure_decision, measure_trouble
from doorbuster_operator.reconcilers.reports import Event, decided_status, events_of, troubled_status, worth_writing
from doorbuster_operator.reconcilers.status import Status, Trouble, status_json
from doorbuster_operator.reconcilers.tracks import Track
from doorbuster_operator.telemetry import OPERATOR_ERRORS

log = structlog.get_logger()


class Reporter:
    """Tells a person, and what watches over the operator, what became of each look at a scaler."""

    def __init__(self, scalers: Scalers) -> None:
        """Take where statuses and Events go."""
        self._scalers = scalers

    def tell_decision(
        self,
        scaler: ScalerObject,
        track: Track,
        outcome: Outcome,
        true: Mapping[Condition, str],
        target: Target,
        *,
        now: float,
    ) -> None:
        """Tell what was decided, and what became of it.

        Args:
            scaler: the object.
            track: what is known about it; takes in what is told.
            outcome: of the decision.
            true: the conditions that are true, each with a sentence.
            target: as the decision saw it.
            now: in seconds since 1970.
        """
        measure_decision(scaler.name, outcome.record)
        self._log_decision(scaler, track, outcome, true)
        said = verdicts(true, reason=outcome.record.reason, message=outcome.record.message)
        events = self._turn(scaler, track, said, outcome, now)
        status = decided_status(outcome, target, conditions=track.conditions, generation=scaler.generation)
        self._write(scaler, track, status, now)
        self._post(scaler, events)

    def tell_trouble(self, scaler: ScalerObject, track: Track, trouble: Trouble, message: str, *, now: float) -> None:
        """Tell that nothing could be decided, and why."""
        measure_trouble(scaler.name, trouble)
        self.note_problem(scaler, track, "decide", f"{trouble}: {message}")
        events = self._turn(scaler, track, not_ready(trouble, message), None, now)
        status = troubled_status(
            track.memory,
            trouble,
            message,
            target_uid=track.target_uid,
            conditions=track.conditions,
            generation=scaler.generation,
        )
        self._write(scaler, track, status, now)
        self._post(scaler, events)

    def note_problem(self, scaler: ScalerObject, track: Track, call: str, problem: str) -> None:
        """Log what goes wrong, once for each sentence; no sentence means that it goes well."""
        if problem and problem != track.problems.get(call):
            log.warning("scaler_has_problem", scaler=scaler.name, call=call, problem=problem)
        elif not problem and call in track.problems:
            log.info("scaler_problem_over", scaler=scaler.name, call=call)
        track.problems = {**track.problems, call: problem} if problem else _without(track.problems, call)

    def _log_decision(
        self, scaler: ScalerObject, track: Track, outcome: Outcome, true: Mapping[Condition, str]
    ) -> None:
        self.note_problem(scaler, track, "decide", "")
        record, conditions = outcome.record, sorted(true)
        told = (record.reason, record.before, record.after, outcome.action, conditions)
        if told == track.told:
            return
        track.told = told
        log.info(
            "scaler_decided",
            scaler=scaler.name,
            reason=record.reason,
            before=record.before,
            after=record.after,
            action=outcome.action,
            conditions=conditions,
            message=record.message,
            numbers=asdict(record.numbers) if record.numbers else None,
        )

    def _turn(
        self,
        scaler: ScalerObject,
        track: Track,
        said: Mapping[Condition, Verdict],
        outcome: Outcome | None,
        now: float,
    ) -> Sequence[Event]:
        """Take in what is said about conditions; return what turned, and what was done."""
        before = track.conditions
        track.conditions = next_conditions(before, said, now=now, generation=scaler.generation)
        for each in track.conditions:
            measure_condition(scaler.name, Condition(each.type), holds=each.status == TRUE)
        return events_of(outcome, changes(before, said), before)

    def _post(self, scaler: ScalerObject, events: Sequence[Event]) -> None:
        """Post Events; after the status, which a process that ends in between needs to know its own order by."""
        for event in events:
            self._scalers.post_event(
                scaler.name, scaler.uid, reason=event.reason, message=event.message, warning=event.warning
            )

    def _write(self, scaler: ScalerObject, track: Track, status: Status, now: float) -> None:
        if not worth_writing(status, track.written, seconds_since=now - track.written_at):
            return
        try:
            self._scalers.write_status(scaler.name, status_json(status))
        except OperatorError as problem:
            OPERATOR_ERRORS.labels("write_status").inc()
            self.note_problem(scaler, track, "write_status", str(problem))
            return
        self.note_problem(scaler, track, "write_status", "")
        track.written, track.written_at = status, now


def _without(problems: Mapping[str, str], call: str) -> dict[str, str]:
    return {each: problem for each, problem in problems.items() if each != call}
