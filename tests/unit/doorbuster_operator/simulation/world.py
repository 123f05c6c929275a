"""Arrivals, a consumer group, its Deployment and Prometheus, in virtual time."""

import zlib
from dataclasses import dataclass, field
from random import Random

from doorbuster_operator.model.samples import GroupSamples
from doorbuster_operator.model.workload import Pod, Workload
from tests.unit.doorbuster_operator.simulation.consumer import Consumer, Cost
from tests.unit.doorbuster_operator.simulation.group import Group
from tests.unit.doorbuster_operator.simulation.prometheus import Prometheus
from tests.unit.doorbuster_operator.simulation.topic import Log
from tests.unit.doorbuster_operator.simulation.traffic import Traffic, chance_count

STEP_SECONDS = 0.5
SCRAPE_SECONDS = 5.0
# The operator must not depend on time beginning at 0.
EPOCH = 1_790_000_000.0
LEAVING_SECONDS = 2.0
READING_PHASE = 1.5
EXPORTER_PHASE = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a world is like.

    Attributes:
        shares: of arrivals, by partition; all alike if empty.
        by_chance: arrivals are Poisson numbers, or come evenly.
        outage: scrapes fail from, until, in seconds since the world began.
        broken_from: pods created from then on never become ready.
        stuck: partitions that nobody gets on with.
    """

    traffic: Traffic
    cost: Cost
    partitions: int = 12
    shares: tuple[float, ...] = ()
    by_chance: bool = True
    seed: int = 0
    replicas: int = 1
    startup_seconds: float = 15.0
    rebalance_seconds: float = 3.0
    eager: bool = False
    commit_seconds: float = 1.0
    outage: tuple[float, float] = (0.0, 0.0)
    broken_from: float = float("inf")
    stuck: frozenset[int] = frozenset()


@dataclass(slots=True)
class PodState:
    """A pod; times in seconds since the world began."""

    name: str
    created_at: float
    ready_at: float
    template: str
    consumer: Consumer | None = None
    left_at: float = float("inf")
    scrape_phase: float = field(init=False)

    def __post_init__(self) -> None:
        self.scrape_phase = (zlib.crc32(self.name.encode()) % 10) * STEP_SECONDS


class World:
    """Goes on in steps. Its clock counts seconds since it began; what the operator sees counts since 1970."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.now = 0.0
        self.replicas = shape.replicas
        self.cost = shape.cost
        self.template = "template-1"
        self._chance = Random(shape.seed)
        shares = shape.shares or (1.0,) * shape.partitions
        self.logs = [Log(share=share / sum(shares)) for share in shares]
        self.group = Group(len(shares), pause_seconds=shape.rebalance_seconds, eager=shape.eager, chance=self._chance)
        self.prometheus = Prometheus()
        self.pods: list[PodState] = []
        self._made = 0
        self._expected = 0.0
        self._create(shape.replicas, created_at=-600.0, startup=min(shape.startup_seconds, 500.0))
        self._start_ready()

    def step(self) -> None:
        """Go on by half a second."""
        self._arrive()
        for pod in self.pods:
            if pod.consumer is not None and pod.left_at > self.now:
                mine = set(self.group.assigned(pod.consumer, self.now)) - self.shape.stuck
                pod.consumer.work([self.logs[number] for number in sorted(mine)], self.now, STEP_SECONDS)
        self.now += STEP_SECONDS
        if self.now % self.shape.commit_seconds < STEP_SECONDS:
            self._commit()
        self._start_ready()
        self.pods = [pod for pod in self.pods if pod.left_at + LEAVING_SECONDS > self.now]
        if not self.shape.outage[0] <= self.now < self.shape.outage[1]:
            self._scrape()

    def scale(self, replicas: int) -> None:
        """Do what the Deployment's controller does: pods that aren't ready and new ones go first."""
        self.replicas = replicas
        staying = [pod for pod in self.pods if pod.left_at > self.now]
        self._create(replicas - len(staying), created_at=self.now, startup=self.shape.startup_seconds)
        if len(staying) <= replicas:
            return
        by_merit = sorted(staying, key=lambda pod: (pod.consumer is None, pod.created_at))
        self._remove(by_merit[replicas:])

    def roll_out(self, cost: Cost) -> None:
        """Replace all pods by such with another cost, at once; the new ones start while the old ones work on."""
        self.cost = cost
        self.template = f"template-{self.now:.0f}"
        old = [pod for pod in self.pods if pod.left_at > self.now]
        self._create(len(old), created_at=self.now, startup=self.shape.startup_seconds)
        self._remove(old)

    def oldest_age(self) -> float:
        return max(log.oldest_age(self.now) for log in self.logs)

    def lag(self) -> int:
        return sum(log.end - log.committed for log in self.logs)

    def samples(self) -> GroupSamples:
        return self.prometheus.samples(EPOCH + self.now)

    def workload(self) -> Workload:
        pods = tuple(
            Pod(
                name=pod.name,
                created_at=EPOCH + pod.created_at,
                ready_at=EPOCH + pod.ready_at if pod.ready_at <= self.now else None,
                template=pod.template,
                leaving=pod.left_at <= self.now,
            )
            for pod in self.pods
        )
        ready = sum(pod.ready_at is not None and not pod.leaving for pod in pods)
        return Workload(replicas=self.replicas, ready=ready, pods=pods)

    def _arrive(self) -> None:
        total = self.shape.traffic(self.now + STEP_SECONDS / 2) * STEP_SECONDS
        self._expected += total
        for log in self.logs:
            if self.shape.by_chance:
                log.arrive(chance_count(total * log.share, self._chance), self.now)
            else:
                log.arrive(int(self._expected * log.share) - log.end, self.now)

    def _commit(self) -> None:
        for log in self.logs:
            log.committed = log.position

    def _create(self, count: int, *, created_at: float, startup: float) -> None:
        for _ in range(count):
            self._made += 1
            ready_at = created_at + startup if created_at < self.shape.broken_from else float("inf")
            self.pods.append(
                PodState(
                    name=f"{self.template}-{self._made}",
                    created_at=created_at,
                    ready_at=ready_at,
                    template=self.template,
                )
            )

    def _start_ready(self) -> None:
        starting = [pod for pod in self.pods if pod.consumer is None and pod.ready_at <= self.now < pod.left_at]
        for pod in starting:
            pod.consumer = Consumer(self.cost, self.now)
        if starting:
            self.group.join([pod.consumer for pod in starting if pod.consumer], self.now)

    def _remove(self, pods: list[PodState]) -> None:
        for pod in pods:
            pod.left_at = self.now
        gone = [pod.consumer for pod in pods if pod.consumer is not None]
        if gone:
            self._commit()
            self.group.leave(gone, self.now)

    def _scrape(self) -> None:
        phase = self.now % SCRAPE_SECONDS
        at = EPOCH + self.now
        if phase == READING_PHASE:
            self.prometheus.read_kafka(self.logs, members=len(self.group.members), at=at)
        if phase == EXPORTER_PHASE:
            self.prometheus.scrape_exporter(at)
        for pod in self.pods:
            if pod.consumer is not None and pod.left_at > self.now and phase == pod.scrape_phase:
                assigned = self.group.assigned(pod.consumer, self.now)
                self.prometheus.scrape_pod(pod.name, pod.consumer, assigned, at)
