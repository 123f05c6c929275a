"""Looks at one ConsumerScaler: observe, decide, act, report.

Nothing here knows Kubernetes or Prometheus; nothing here computes how many replicas are needed.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import structlog

from doorbuster_operator.decisions.scaling import decide
from doorbuster_operator.model.decision import Decision, Observation
from doorbuster_operator.model.decision_record import Condition, DecisionRecord
from doorbuster_operator.model.samples import GroupSamples
from doorbuster_operator.model.spec import ScalerSpec
from doorbuster_operator.ports import (
    ClusterUnavailable,
    MetricsSource,
    MetricsUnavailable,
    OperatorError,
    ScalerObject,
    Scalers,
    Target,
    TargetChanged,
    TargetMissing,
    Workloads,
)
from doorbuster_operator.reconcilers.actions import Action, Outcome, outcome_of, settled
from doorbuster_operator.reconcilers.measures import forget_measures
from doorbuster_operator.reconcilers.objects import InvalidSpec, Manifest, TargetShared, scaler_in, spec_of
from doorbuster_operator.reconcilers.reporter import Reporter
from doorbuster_operator.reconcilers.status import Trouble
from doorbuster_operator.reconcilers.tracks import Track, begin_track
from doorbuster_operator.telemetry import OPERATOR_ERRORS

log = structlog.get_logger()

Decide = Callable[[Observation], Decision]


class LookTooOld(OperatorError):
    """What was seen may not be true any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Times, in seconds.

    Attributes:
        scrape: between two samples of a series.
        look: longest, from the start of a look to its order; a look that was given up may go on much later (P16).
    """

    scrape: float = 5.0
    look: float = 5.0


class ScalingReconciler:
    """Looks at the scalers of one namespace, each as often as it is called.

    Different scalers may be looked at in threads at the same time, one scaler only in one. To be called only while the
    Lease is held; after a time without it, everything is to be forgotten.
    """

    def __init__(
        self,
        metrics: MetricsSource,
        workloads: Workloads,
        scalers: Scalers,
        *,
        clock: Callable[[], float] = time.time,
        times: Times = Times(),
        choose: Decide = decide,
    ) -> None:
        """Take the ports.

        Args:
            metrics: where samples are from.
            workloads: the targets.
            scalers: where statuses and Events go.
            clock: seconds since 1970.
            times: that it goes by.
            choose: the decision.
        """
        self._metrics = metrics
        self._workloads = workloads
        self._reporter = Reporter(scalers)
        self._clock = clock
        self._times = times
        self._choose = choose
        self._tracks: dict[str, Track] = {}

    def reconcile(self, manifest: Manifest, *, rival: str = "") -> None:
        """Look at a scaler and do what is to be done; what isn't possible is told in its status, log and metrics.

        Args:
            manifest: the scaler.
            rival: an older scaler with the same target, which acts instead; empty when there is none.
        """
        scaler, now = scaler_in(manifest), self._clock()
        track = self._track(scaler, now)
        try:
            spec = spec_of(scaler)
            target = self._target(spec, rival)
        except (InvalidSpec, TargetShared, TargetMissing, ClusterUnavailable) as problem:
            if isinstance(problem, TargetShared | TargetMissing):
                track.begin_anew(now=now)
            self._reporter.tell_trouble(scaler, track, _trouble_of(problem), str(problem), now=now)
            return
        track.look_at(target.uid, (spec.consumer_group, frozenset(spec.topics)), now=now)
        track.memory = settled(track.memory, track.unsure, replicas=target.workload.replicas)
        decision = self._decided(scaler, track, spec, target, now)
        outcome = self._act(spec, decision, track)
        # Before anything else can fail: what was ordered must not be taken for somebody else's order.
        track.memory = outcome.memory
        track.unsure = decision.memory if outcome.action is Action.FAILED else None
        self._reporter.tell_decision(scaler, track, outcome, decision.conditions, target, now=now)

    def forget(self, name: str) -> None:
        """Drop what is remembered and measured about a scaler."""
        self._tracks.pop(name, None)
        forget_measures(name)

    def _track(self, scaler: ScalerObject, now: float) -> Track:
        track = self._tracks.get(scaler.name)
        if track is None or track.uid != scaler.uid:
            track = self._tracks[scaler.name] = begin_track(scaler, now=now)
        return track

    def _target(self, spec: ScalerSpec, rival: str) -> Target:
        if rival:
            raise TargetShared(f"Deployment {spec.target_ref.name} is scaled by {rival}, which is older.")
        try:
            return self._workloads.read(spec.target_ref.name)
        except OperatorError:
            OPERATOR_ERRORS.labels("read_target").inc()
            raise

    def _decided(self, scaler: ScalerObject, track: Track, spec: ScalerSpec, target: Target, now: float) -> Decision:
        samples, cause = self._samples(spec)
        self._reporter.note_problem(scaler, track, "group_samples", cause)
        decision = self._choose(
            Observation(
                now=now,
                spec=spec,
                samples=samples,
                workload=target.workload,
                memory=track.memory,
                scrape_seconds=self._times.scrape,
            )
        )
        if not cause or Condition.METRICS_UNAVAILABLE not in decision.conditions:
            return decision
        # The decision only knows that there are no samples; a person wants to know why.
        return replace(decision, conditions={**decision.conditions, Condition.METRICS_UNAVAILABLE: cause})

    def _samples(self, spec: ScalerSpec) -> tuple[GroupSamples | None, str]:
        """Return the samples; None and the cause when they couldn't be read."""
        try:
            return self._metrics.group_samples(spec.consumer_group, spec.topics), ""
        except MetricsUnavailable as problem:
            OPERATOR_ERRORS.labels("group_samples").inc()
            return None, str(problem)

    def _act(self, spec: ScalerSpec, decision: Decision, track: Track) -> Outcome:
        if not decision.scales:
            return outcome_of(decision, Action.NOTHING, before=track.memory)
        if spec.dry_run:
            return outcome_of(decision, Action.DRY_RUN, before=track.memory)
        try:
            self._order(spec.target_ref.name, decision.record)
        except (LookTooOld, TargetChanged) as problem:
            OPERATOR_ERRORS.labels("scale").inc()
            return outcome_of(decision, Action.OVERTAKEN, before=track.memory, problem=str(problem))
        except (TargetMissing, ClusterUnavailable) as problem:
            OPERATOR_ERRORS.labels("scale").inc()
            return outcome_of(decision, Action.FAILED, before=track.memory, problem=str(problem))
        return outcome_of(decision, Action.SCALED, before=track.memory)

    def _order(self, name: str, record: DecisionRecord) -> None:
        age = self._clock() - record.at
        if age > self._times.look:
            raise LookTooOld(f"What it was decided on was seen {age:.1f} s ago.")
        self._workloads.scale(name, record.after, expected=record.before)


def _trouble_of(problem: OperatorError) -> Trouble:
    kinds: Mapping[type[OperatorError], Trouble] = {
        InvalidSpec: Trouble.INVALID_SPEC,
        TargetShared: Trouble.TARGET_SHARED,
        TargetMissing: Trouble.TARGET_MISSING,
    }
    return next((said for kind, said in kinds.items() if isinstance(problem, kind)), Trouble.CLUSTER_UNAVAILABLE)
