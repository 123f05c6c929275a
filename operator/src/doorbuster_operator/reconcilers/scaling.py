"""Looks at one ConsumerScaler: observe, decide, act, report.

Nothing here knows Kubernetes or Prometheus; nothing here computes how many replicas are needed.
"""

import time
from collections.abc import Callable
from dataclasses import replace

import structlog

from doorbuster_operator.decisions.scaling import decide
from doorbuster_operator.model.decision import Decision, Observation
from doorbuster_operator.model.decision_record import Condition
from doorbuster_operator.model.samples import GroupSamples
from doorbuster_operator.model.spec import ScalerSpec
from doorbuster_operator.model.workload import Workload
from doorbuster_operator.ports import (
    ClusterUnavailable,
    MetricsSource,
    MetricsUnavailable,
    OperatorError,
    ScalerObject,
    Scalers,
    TargetMissing,
    Workloads,
)
from doorbuster_operator.reconcilers.actions import Action, Outcome, outcome_of, settled
from doorbuster_operator.reconcilers.measures import forget_measures
from doorbuster_operator.reconcilers.objects import InvalidSpec, Manifest, scaler_in, spec_of
from doorbuster_operator.reconcilers.reporter import Reporter
from doorbuster_operator.reconcilers.status import Trouble
from doorbuster_operator.reconcilers.tracks import Track, begin_track
from doorbuster_operator.telemetry import OPERATOR_ERRORS

log = structlog.get_logger()

Decide = Callable[[Observation], Decision]


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
        scrape_seconds: float = 5.0,
        choose: Decide = decide,
    ) -> None:
        """Take the ports.

        Args:
            metrics: where samples are from.
            workloads: the targets.
            scalers: where statuses and Events go.
            clock: seconds since 1970.
            scrape_seconds: time between two samples of a series.
            choose: the decision.
        """
        self._metrics = metrics
        self._workloads = workloads
        self._reporter = Reporter(scalers)
        self._clock = clock
        self._scrape_seconds = scrape_seconds
        self._choose = choose
        self._tracks: dict[str, Track] = {}

    def reconcile(self, manifest: Manifest) -> None:
        """Look at a scaler and do what is to be done; what isn't possible is told in its status, log and metrics."""
        scaler, now = scaler_in(manifest), self._clock()
        track = self._track(scaler, now)
        try:
            spec = spec_of(scaler)
            workload = self._workload(spec)
        except (InvalidSpec, TargetMissing, ClusterUnavailable) as problem:
            self._reporter.tell_trouble(scaler, track, _trouble_of(problem), str(problem), now=now)
            return
        track.memory = settled(track.memory, track.unsure, replicas=workload.replicas)
        decision = self._decided(scaler, track, spec, workload, now)
        outcome = self._act(spec, decision, track)
        # Before anything else can fail: what was ordered must not be taken for somebody else's order.
        track.memory = outcome.memory
        track.unsure = decision.memory if outcome.action is Action.FAILED else None
        self._reporter.tell_decision(scaler, track, outcome, decision.conditions, workload, now=now)

    def forget(self, name: str) -> None:
        """Drop what is remembered and measured about a scaler."""
        self._tracks.pop(name, None)
        forget_measures(name)

    def _track(self, scaler: ScalerObject, now: float) -> Track:
        track = self._tracks.get(scaler.name)
        if track is None or track.uid != scaler.uid:
            track = self._tracks[scaler.name] = begin_track(scaler, now=now)
        return track

    def _workload(self, spec: ScalerSpec) -> Workload:
        try:
            return self._workloads.read(spec.target_ref.name)
        except OperatorError:
            OPERATOR_ERRORS.labels("read_target").inc()
            raise

    def _decided(
        self, scaler: ScalerObject, track: Track, spec: ScalerSpec, workload: Workload, now: float
    ) -> Decision:
        samples, cause = self._samples(spec)
        self._reporter.note_problem(scaler, track, "group_samples", cause)
        decision = self._choose(
            Observation(
                now=now,
                spec=spec,
                samples=samples,
                workload=workload,
                memory=track.memory,
                scrape_seconds=self._scrape_seconds,
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
            self._workloads.scale(spec.target_ref.name, decision.record.after)
        except (TargetMissing, ClusterUnavailable) as problem:
            OPERATOR_ERRORS.labels("scale").inc()
            return outcome_of(decision, Action.FAILED, before=track.memory, problem=str(problem))
        return outcome_of(decision, Action.SCALED, before=track.memory)


def _trouble_of(problem: OperatorError) -> Trouble:
    if isinstance(problem, InvalidSpec):
        return Trouble.INVALID_SPEC
    return Trouble.TARGET_MISSING if isinstance(problem, TargetMissing) else Trouble.CLUSTER_UNAVAILABLE
