"""The fakes of the ports do what the adapters do."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from doorbuster_operator.model.workload import Pod, Workload
from doorbuster_operator.ports import Leadership
from tests.contracts.leadership import LeadershipContract
from tests.contracts.scalers import ScalersContract, SeenEvent
from tests.contracts.workloads import PodPlan, WorkloadsContract
from tests.fakes.operator_ports import FakeLeadership, FakeLease, FakeScalers, FakeWorkloads


class FakeWorkloadsScene:
    def __init__(self) -> None:
        self.workloads = FakeWorkloads()

    def deploy(self, name: str, *, replicas: int, ready: int = 0, pods: tuple[PodPlan, ...] = ()) -> None:
        made = tuple(
            Pod(
                name=each.name,
                created_at=1.0,
                ready_at=2.0 if each.ready else None,
                template="abc",
                leaving=each.leaving,
            )
            for each in pods
            if not each.ended
        )
        self.workloads.workloads[name] = Workload(replicas=replicas, ready=ready, pods=made)


class TestFakeWorkloads(WorkloadsContract):
    @pytest.fixture
    def scene(self) -> FakeWorkloadsScene:
        return FakeWorkloadsScene()


class FakeScalersScene:
    def __init__(self) -> None:
        self.scalers = FakeScalers()

    def make(self, name: str) -> str:
        self.scalers.statuses[name] = {}
        return f"uid of {name}"

    def status(self, name: str) -> Mapping[str, Any]:
        return self.scalers.statuses[name]

    def events(self) -> Sequence[SeenEvent]:
        return [
            SeenEvent(about=each.uid, reason=each.reason, message=each.message, warning=each.warning)
            for each in self.scalers.events
        ]


class TestFakeScalers(ScalersContract):
    @pytest.fixture
    def scene(self) -> FakeScalersScene:
        return FakeScalersScene()


class FakeLeadershipScene:
    def __init__(self) -> None:
        self.lease = FakeLease()

    def candidate(self, identity: str) -> Leadership:
        return FakeLeadership(self.lease, identity)


class TestFakeLeadership(LeadershipContract):
    @pytest.fixture
    def scene(self) -> FakeLeadershipScene:
        return FakeLeadershipScene()
