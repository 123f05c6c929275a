"""Observe, decide, act: what is ordered, what is remembered, and what a failure leaves behind."""

import pytest

from doorbuster_operator.model.decision_record import Condition, Reason
from doorbuster_operator.model.workload import Workload
from doorbuster_operator.reconcilers.scaling import ScalingReconciler
from tests.fakes.operator_ports import FakeScalers
from tests.unit.doorbuster_operator.reconcilers.world import NAME, START, TARGET, TICK_SECONDS, World, spec


def test_what_is_decided_is_ordered(world: World) -> None:
    world.script.wanted, world.script.reason = 4, Reason.SCALE_OUT

    world.tick()

    assert world.workloads.scaled == [(TARGET, 4)]
    assert world.status["desiredReplicas"] == 4
    assert world.status["lastChange"] == {
        "at": "2027-01-15T08:00:00Z", "before": 1, "after": 4, "arrivalRate": 61.2
    }  # fmt: skip


def test_nothing_is_ordered_when_the_target_asks_for_it_already(world: World) -> None:
    world.tick()

    assert world.workloads.scaled == []
    assert world.status["reason"] == "Steady"


def test_the_decision_sees_the_target_and_the_memory_of_the_tick_before(world: World) -> None:
    world.script.wanted, world.script.reason = 4, Reason.SCALE_OUT
    world.tick()

    world.tick()

    seen = world.script.seen[1]
    assert (seen.now, seen.workload.replicas, seen.memory.expected_replicas) == (START + TICK_SECONDS, 4, 4)
    assert seen.memory.watching_since == START


def test_a_status_that_is_older_than_the_own_order_doesnt_count(world: World) -> None:
    world.tick()
    old = world.status
    world.script.wanted, world.script.reason = 4, Reason.SCALE_OUT
    world.tick()

    world.tick(stale_status=old)

    assert world.script.seen[-1].memory.expected_replicas == 4
    assert world.script.seen[-1].memory.last_change is not None


def test_a_restart_remembers_what_the_status_holds(world: World) -> None:
    world.script.wanted, world.script.reason = 4, Reason.SCALE_OUT
    world.tick()
    world.restart()

    world.tick()

    memory = world.script.seen[-1].memory
    assert memory.expected_replicas == 4
    assert memory.last_change is not None
    assert (memory.last_change.at, memory.last_change.after) == (START, 4)
    assert [each.reason for each in memory.records] == [Reason.SCALE_OUT]
    assert memory.watching_since == START + TICK_SECONDS


def test_an_object_of_the_same_name_that_was_made_later_is_another_scaler(world: World) -> None:
    world.script.wanted, world.script.reason = 4, Reason.SCALE_OUT
    world.tick()
    world.uid, world.scalers.statuses[NAME] = "2c3d", {}

    world.tick()

    assert world.script.seen[-1].memory.last_change is None


def test_a_status_that_somebody_damaged_costs_the_memory_and_nothing_else(world: World) -> None:
    world.scalers.statuses[NAME] = {"lastChange": {"at": "yesterday"}}

    world.tick()

    assert world.script.seen[-1].memory.expected_replicas is None
    assert world.status["reason"] == "Steady"


class TestDryRun:
    @pytest.fixture(autouse=True)
    def dry(self, world: World) -> None:
        world.tick()
        world.spec = spec(dryRun=True)
        world.script.wanted, world.script.reason = 4, Reason.SCALE_OUT
        world.tick()

    def test_nothing_is_ordered_and_the_message_says_what_would_be(self, world: World) -> None:
        assert world.workloads.scaled == []
        assert world.status["desiredReplicas"] == 4
        assert world.status["message"] == "Dry run, would scale from 1 to 4: 61.2 records/s need 4."

    def test_nothing_is_remembered_as_ordered(self, world: World) -> None:
        world.tick()

        memory = world.script.seen[-1].memory
        assert (memory.expected_replicas, memory.last_change) == (1, None)

    def test_the_same_wish_is_told_once(self, world: World) -> None:
        for _ in range(12):
            world.tick()

        assert [each["reason"] for each in world.status["decisions"]] == ["Steady", "ScaleOut"]
        assert world.events == [("ScaleOut", False)]

    def test_the_end_of_the_dry_run_orders_it(self, world: World) -> None:
        world.spec = spec()

        world.tick()

        assert world.workloads.scaled == [(TARGET, 4)]


class TestScalingFails:
    @pytest.fixture(autouse=True)
    def failing(self, world: World) -> None:
        world.tick()
        world.workloads.scale_problem = "The API server doesn't answer in time."
        world.script.wanted, world.script.reason = 4, Reason.SCALE_OUT

    def test_the_record_says_so(self, world: World) -> None:
        world.tick()

        said = "Scaling from 1 to 4 failed: The API server doesn't answer in time."
        assert world.status["message"].endswith(said)
        assert world.status["decisions"][-1]["message"].endswith(said)
        assert world.events == [("ScaleFailed", True)]

    def test_nothing_is_remembered_as_ordered(self, world: World) -> None:
        world.tick()
        world.tick()

        memory = world.script.seen[-1].memory
        assert (memory.expected_replicas, memory.last_change) == (1, None)

    def test_it_is_tried_again_each_tick_and_told_once(self, world: World) -> None:
        for _ in range(3):
            world.tick()

        assert world.workloads.scaled == [(TARGET, 4)] * 3
        assert world.events == [("ScaleFailed", True)]
        assert len(world.status["decisions"]) == 2

    def test_an_order_that_was_carried_out_though_its_answer_was_lost_is_no_foreign_one(self, world: World) -> None:
        world.workloads.answer_lost = True
        world.tick()

        world.tick()

        memory = world.script.seen[-1].memory
        assert memory.expected_replicas == 4
        assert memory.last_change is not None
        assert memory.last_change.after == 4

    def test_what_somebody_else_ordered_meanwhile_isnt_taken_for_the_own_order(self, world: World) -> None:
        world.tick()
        world.workloads.workloads[TARGET] = Workload(replicas=2, ready=1, pods=())

        world.tick()

        assert world.script.seen[-1].memory.expected_replicas == 1


class TestTrouble:
    def test_a_spec_that_makes_no_sense_is_told_by_the_name_of_its_field(self, world: World) -> None:
        world.spec = spec(slo={"oldestRecordAge": "soon"})
        world.generation = 2

        world.tick()

        ready = world.condition(Condition.READY)
        assert (ready["status"], ready["reason"]) == ("False", "InvalidSpec")
        assert ready["message"].startswith("spec.slo.oldestRecordAge: 'soon' is no duration")
        assert world.status["observedGeneration"] == 2
        assert world.script.seen == []

    def test_bounds_that_contradict_each_other_are_told(self, world: World) -> None:
        world.spec = spec(minReplicas=13)

        world.tick()

        assert world.status["message"] == "spec: minReplicas 13 is above maxReplicas 12."

    def test_further_faults_of_a_spec_are_counted(self, world: World) -> None:
        world.spec = spec(maxReplicas=0, utilization=2)

        world.tick()

        assert world.status["message"].startswith("spec.maxReplicas: ")
        assert world.status["message"].endswith("(and 1 more).")

    def test_a_target_that_isnt_there_is_told(self, world: World) -> None:
        del world.workloads.workloads[TARGET]

        world.tick()

        assert world.status["reason"] == "TargetMissing"
        assert world.condition(Condition.READY)["message"] == (f"There is no deployment {TARGET} in namespace test.")
        assert world.events == [("NotReady", True)]

    def test_what_was_remembered_outlasts_trouble(self, world: World) -> None:
        world.script.wanted, world.script.reason = 4, Reason.SCALE_OUT
        world.tick()
        world.workloads.problem = "The API server doesn't answer."
        world.tick()

        assert world.status["reason"] == "ClusterUnavailable"
        assert world.status["lastChange"]["after"] == 4
        assert "lag" not in world.status
        world.workloads.problem = ""
        world.tick()
        assert world.script.seen[-1].memory.expected_replicas == 4

    def test_the_end_of_trouble_is_told(self, world: World) -> None:
        world.tick()
        world.workloads.problem = "The API server doesn't answer."
        world.tick()
        world.workloads.problem = ""

        world.tick()

        assert world.events == [("NotReady", True), ("Ready", False)]
        assert world.condition(Condition.READY)["status"] == "True"

    def test_metrics_that_cant_be_read_are_told_with_their_cause(self, world: World) -> None:
        world.metrics.problem = "Prometheus doesn't answer within 1 s."
        world.script.reason, world.script.numbers = Reason.METRICS_UNAVAILABLE, None
        world.script.conditions = {Condition.METRICS_UNAVAILABLE: "Samples are missing."}

        world.tick()

        assert world.script.seen[-1].samples is None
        said = world.condition(Condition.METRICS_UNAVAILABLE)
        assert (said["status"], said["message"]) == ("True", "Prometheus doesn't answer within 1 s.")
        assert "neededReplicas" not in world.status

    def test_a_status_that_cant_be_written_is_tried_again(self, world: World) -> None:
        world.scalers.problem = "The API server doesn't answer."
        world.tick()
        world.scalers.problem = ""

        world.tick()

        assert world.status["reason"] == "Steady"

    def test_a_failure_of_one_scaler_leaves_the_others(self, world: World) -> None:
        world.scalers = FakeScalers({NAME: {}, "other": {}})
        world.restart()
        world.workloads.workloads["other"] = Workload(replicas=1, ready=1, pods=())
        world.script.wanted = 2
        del world.workloads.workloads[TARGET]

        world.tick()
        world.reconciler.reconcile(
            {
                "metadata": {"name": "other", "uid": "u", "generation": 1},
                "spec": spec(targetRef={"name": "other"}),  # type: ignore[dict-item]  # a test's own fields
            }
        )

        assert world.workloads.scaled == [("other", 2)]
        world.reconciler.forget("other")


def test_the_operators_own_decision_holds_what_it_doesnt_know(world: World) -> None:
    world.metrics.problem = "Prometheus doesn't answer within 1 s."
    world.workloads.workloads[TARGET] = Workload(replicas=3, ready=3, pods=())
    world.reconciler = ScalingReconciler(world.metrics, world.workloads, world.scalers, clock=lambda: world.now)

    world.tick()

    assert world.workloads.scaled == []
    assert (world.status["reason"], world.status["desiredReplicas"]) == ("MetricsUnavailable", 3)
    assert world.condition(Condition.METRICS_UNAVAILABLE)["message"] == world.metrics.problem
    assert world.condition(Condition.READY)["status"] == "False"
