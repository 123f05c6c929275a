"""A loop of ticks over scalers that a test makes: what is listed, what is reconciled, who leads, what is counted."""

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from doorbuster_operator.handlers.heartbeat import Heartbeat
from doorbuster_operator.handlers.roles import Namespace
from doorbuster_operator.handlers.ticks import Pace, Ticks
from doorbuster_operator.ports import ClusterUnavailable
from doorbuster_operator.reconcilers.objects import Manifest

# A call of a test that is let go returns within it; one that hangs longer fails the test.
PATIENCE_SECONDS = 10.0


def scaler(name: str, *, target: str = "", made: str = "2026-11-25T22:10:05Z") -> Manifest:
    return {
        "metadata": {"name": name, "uid": f"uid-{name}", "creationTimestamp": made},
        "spec": {"targetRef": {"kind": "Deployment", "name": target or name}},
    }


def name_of(manifest: Manifest) -> str:
    metadata = manifest["metadata"]
    assert isinstance(metadata, Mapping)
    return str(metadata["name"])


class Gate:
    """Holds a call in its thread until the test lets it go."""

    def __init__(self) -> None:
        self._open = threading.Event()

    def wait(self) -> None:
        assert self._open.wait(PATIENCE_SECONDS), "the test never let the call go"

    def open(self) -> None:
        self._open.set()


@dataclass
class FakeObjects:
    """What a namespace has; a list that is None can't be read."""

    found: Sequence[Manifest] | None = ()

    def list_objects(self) -> Sequence[Manifest]:
        if self.found is None:
            raise ClusterUnavailable("the API server answers 404")
        return self.found


@dataclass
class FakeReconciler:
    """Notes what it is asked for, and does for a scaler what the test says."""

    does: dict[str, Callable[[], None]] = field(default_factory=dict)
    reconciled: list[str] = field(default_factory=list)
    rivals: dict[str, str] = field(default_factory=dict)
    forgotten: list[str] = field(default_factory=list)

    def reconcile(self, manifest: Manifest, *, rival: str = "") -> None:
        name = name_of(manifest)
        self.rivals[name] = rival
        self.reconciled.append(name)
        self.does.get(name, lambda: None)()

    def forget(self, name: str) -> None:
        self.forgotten.append(name)


@dataclass
class FakeLeadership:
    """Holds the Lease or not, as the test says."""

    has: bool = True
    released: int = 0

    def held(self) -> bool:
        return self.has

    def release(self) -> None:
        self.released += 1


@dataclass
class FakeMeasures:
    """Counts."""

    ticks: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    led: list[bool] = field(default_factory=list)

    def tick_ended(self, seconds: float) -> None:
        assert seconds >= 0
        self.ticks += 1

    def failed(self, call: str) -> None:
        self.failures[call] += 1

    def leads(self, *, held: bool) -> None:
        self.led.append(held)


@dataclass
class Loop:
    """Ticks over one namespace, `shop`, with a patience of 50 ms and two threads unless said otherwise."""

    calls_seconds: float = 0.05
    tick_seconds: float = 5.0
    threads: int = 2
    objects: FakeObjects = field(default_factory=FakeObjects)
    reconciler: FakeReconciler = field(default_factory=FakeReconciler)
    leadership: FakeLeadership = field(default_factory=FakeLeadership)
    measures: FakeMeasures = field(default_factory=FakeMeasures)
    others: Sequence[Namespace] = ()

    def __post_init__(self) -> None:
        self.heartbeat = Heartbeat(self.tick_seconds)
        self.ticks = Ticks(
            [Namespace(name="shop", objects=self.objects, reconciler=self.reconciler), *self.others],
            self.leadership,
            pace=Pace(tick=self.tick_seconds, shortest=0, calls=self.calls_seconds, threads=self.threads),
            heartbeat=self.heartbeat,
            measures=self.measures,
        )

    def has(self, *scalers: Manifest) -> None:
        self.objects.found = scalers
