"""What `Workloads` say about Deployments and their pods, and how they scale."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Protocol

import pytest

from doorbuster_operator.ports import TargetChanged, TargetMissing, Workloads

NAME = "apps-consumer-stock"


@dataclass(frozen=True, slots=True, kw_only=True)
class PodPlan:
    """A pod as a test wants it.

    Attributes:
        ready: whether it is.
        ended: whether it has ended and is kept.
        leaving: whether it is being deleted.
    """

    name: str
    ready: bool = True
    ended: bool = False
    leaving: bool = False


class WorkloadsScene(Protocol):
    """A namespace of a test's own."""

    @property
    def workloads(self) -> Workloads:
        """What is tested."""

    def deploy(self, name: str, *, replicas: int, ready: int = 0, pods: tuple[PodPlan, ...] = ()) -> None:
        """Make a Deployment with pods, of the template `abc`."""


class WorkloadsContract:
    """Derive from this class with a fixture `scene`."""

    @pytest.fixture
    @abstractmethod
    def scene(self) -> WorkloadsScene:
        """What the tests look at."""

    def test_a_deployment_has_the_replicas_that_it_asks_for_and_those_that_are_ready(
        self, scene: WorkloadsScene
    ) -> None:
        scene.deploy(NAME, replicas=3, ready=2)

        found = scene.workloads.read(NAME).workload

        assert (found.replicas, found.ready, found.pods) == (3, 2, ())

    def test_pods_are_those_of_the_deployment(self, scene: WorkloadsScene) -> None:
        scene.deploy(NAME, replicas=2, pods=(PodPlan(name="a"), PodPlan(name="b", ready=False)))
        scene.deploy("other", replicas=1, pods=(PodPlan(name="c"),))

        pods = {pod.name: pod for pod in scene.workloads.read(NAME).workload.pods}

        assert set(pods) == {"a", "b"}
        assert {pod.template for pod in pods.values()} == {"abc"}
        assert pods["b"].ready_at is None
        ready_at = pods["a"].ready_at
        assert ready_at is not None
        assert ready_at >= pods["a"].created_at

    def test_a_pod_that_has_ended_isnt_one_of_them(self, scene: WorkloadsScene) -> None:
        scene.deploy(NAME, replicas=1, pods=(PodPlan(name="a"), PodPlan(name="b", ended=True)))

        assert [pod.name for pod in scene.workloads.read(NAME).workload.pods] == ["a"]

    def test_a_pod_that_is_being_deleted_is_leaving(self, scene: WorkloadsScene) -> None:
        scene.deploy(NAME, replicas=1, pods=(PodPlan(name="a"), PodPlan(name="b", leaving=True)))

        pods = scene.workloads.read(NAME).workload.pods
        assert {pod.name: pod.leaving for pod in pods} == {"a": False, "b": True}

    def test_each_deployment_has_a_uid_of_its_own(self, scene: WorkloadsScene) -> None:
        scene.deploy(NAME, replicas=1)
        scene.deploy("other", replicas=1)

        uid = scene.workloads.read(NAME).uid

        assert uid
        assert scene.workloads.read(NAME).uid == uid
        assert scene.workloads.read("other").uid != uid

    @pytest.mark.parametrize("replicas", [0, 1, 12])
    @pytest.mark.parametrize("before", [0, 4])
    def test_scaling_sets_what_it_asks_for(self, scene: WorkloadsScene, before: int, replicas: int) -> None:
        scene.deploy(NAME, replicas=before)

        scene.workloads.scale(NAME, replicas, expected=before)

        assert scene.workloads.read(NAME).workload.replicas == replicas

    @pytest.mark.parametrize(("now", "expected"), [(4, 3), (4, 0), (0, 3)])
    def test_a_number_that_isnt_the_expected_one_any_more_isnt_overwritten(
        self, scene: WorkloadsScene, now: int, expected: int
    ) -> None:
        scene.deploy(NAME, replicas=now)

        with pytest.raises(TargetChanged):
            scene.workloads.scale(NAME, 12, expected=expected)

        assert scene.workloads.read(NAME).workload.replicas == now

    def test_a_deployment_that_isnt_there_is_missing(self, scene: WorkloadsScene) -> None:
        scene.deploy(NAME, replicas=1)

        with pytest.raises(TargetMissing, match="There is no deployment nobody in namespace"):
            scene.workloads.read("nobody")
        with pytest.raises(TargetMissing, match="There is no deployment nobody in namespace"):
            scene.workloads.scale("nobody", 1, expected=2)
