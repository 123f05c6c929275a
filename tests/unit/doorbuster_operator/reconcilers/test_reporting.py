"""What a person is told, how often, and what watches over the operator."""

import math
from dataclasses import replace

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from doorbuster_operator.model.decision_record import Condition, Reason
from doorbuster_operator.model.workload import Workload
from tests.fakes.operator_ports import FakeScalers
from tests.unit.doorbuster_operator.reconcilers.world import NAME, NUMBERS, READY, TARGET, World


def metric(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, {"scaler": NAME, **labels})


def with_lag(world: World, lag: float) -> None:
    world.script.numbers = replace(NUMBERS, lag=lag)


class TestStatus:
    def test_it_holds_what_was_seen_and_decided(self, world: World) -> None:
        world.tick()

        status = world.status
        assert {name: status[name] for name in ("replicas", "readyReplicas", "desiredReplicas", "neededReplicas")} == {
            "replicas": 1, "readyReplicas": 1, "desiredReplicas": 1, "neededReplicas": 3
        }  # fmt: skip
        assert (status["lag"], status["oldestRecordAge"], status["arrivalRate"]) == (120, "2s", 61.2)
        assert status["capacity"] == {"recordsPerSecond": 33.0, "source": "Hint"}
        assert status["message"] == "61.2 records/s need 1."
        assert status["observedGeneration"] == 1

    def test_a_decision_is_kept_with_its_numbers(self, world: World) -> None:
        world.tick()

        assert world.status["decisions"] == [
            {
                "at": "2027-01-15T08:00:00Z",
                "before": 1,
                "after": 1,
                "reason": "Steady",
                "message": "61.2 records/s need 1.",
                "numbers": {
                    "arrivalRate": 61.2,
                    "lag": 120,
                    "backlog": 60,
                    "oldestRecordAge": "2s",
                    "capacity": 33.0,
                    "capacitySource": "Hint",
                    "heaviestLoad": 20.4,
                    "partitions": 12,
                    "replicas": 1,
                    "readyReplicas": 1,
                    "neededReplicas": 3,
                    "kedaReplicas": 12,
                },
            }
        ]

    def test_it_isnt_written_again_for_numbers_that_move(self, world: World) -> None:
        for lag in range(11):
            with_lag(world, lag)
            world.tick()

        assert world.scalers.writes == 1

    def test_numbers_that_move_are_written_once_a_minute(self, world: World) -> None:
        for lag in range(26):
            with_lag(world, lag)
            world.tick()

        assert world.scalers.writes == 3
        assert world.status["lag"] == 24

    def test_it_isnt_written_at_all_while_nothing_changes(self, world: World) -> None:
        for _ in range(30):
            world.tick()

        assert world.scalers.writes == 1

    def test_another_reason_is_written_at_once(self, world: World) -> None:
        world.tick()
        world.script.reason = Reason.SCALE_IN_WINDOW

        world.tick()

        assert world.scalers.writes == 2
        assert world.status["reason"] == "ScaleInWindow"

    def test_a_replica_that_got_ready_is_written_at_once(self, world: World) -> None:
        world.tick()
        world.workloads.workloads[TARGET] = Workload(replicas=1, ready=0, pods=())

        world.tick()

        assert world.status["readyReplicas"] == 0

    def test_after_a_restart_it_is_written_only_if_it_says_something_else(self, world: World) -> None:
        world.tick()
        world.restart()

        world.tick()

        assert world.scalers.writes == 1


class TestConditions:
    def test_all_are_shown(self, world: World) -> None:
        world.tick()

        assert [(each["type"], each["status"]) for each in world.status["conditions"]] == [
            (condition, "True" if condition is Condition.READY else "False") for condition in Condition
        ]

    def test_the_time_of_the_transition_stays_while_the_status_stays(self, world: World) -> None:
        world.tick()
        before = world.condition(Condition.READY)["lastTransitionTime"]
        world.script.conditions = {**READY, Condition.AT_MAXIMUM: "13 are needed."}

        world.tick()

        assert world.condition(Condition.READY)["lastTransitionTime"] == before
        assert world.condition(Condition.AT_MAXIMUM)["lastTransitionTime"] > before

    def test_a_condition_that_turns_is_an_event_once(self, world: World) -> None:
        world.tick()
        world.script.conditions = {**READY, Condition.AT_MAXIMUM: "13 are needed."}
        for _ in range(3):
            world.tick()
        world.script.conditions = READY
        world.tick()

        assert world.events == [("AtMaximum", True), ("NotAtMaximum", False)]
        assert world.scalers.events[0].message == "13 are needed."
        assert world.scalers.events[1].message == ("AtMaximum is no longer true; it was since 2027-01-15T08:00:05Z.")

    def test_a_restart_doesnt_repeat_events(self, world: World) -> None:
        world.script.conditions = {**READY, Condition.AT_MAXIMUM: "13 are needed."}
        world.tick()
        world.restart()

        world.tick()

        assert world.events == [("AtMaximum", True)]


class TestEvents:
    def test_they_come_after_the_status_which_knows_of_the_order(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        known: list[object] = []

        def note(self: FakeScalers, name: str, uid: str, **said: object) -> None:
            del uid, said
            known.append(self.statuses[name].get("expectedReplicas"))

        monkeypatch.setattr(FakeScalers, "post_event", note)
        world.script.wanted, world.script.reason = 4, Reason.SCALE_OUT
        world.tick()
        world.workloads.problem = "The API server doesn't answer."
        world.tick()

        assert known == [4, 4]

    def test_an_order_is_one_with_the_arithmetic(self, world: World) -> None:
        world.script.wanted, world.script.reason = 4, Reason.SCALE_OUT

        world.tick()
        world.tick()

        assert world.events == [("ScaleOut", False)]
        assert world.scalers.events[0].message == "Scaled from 1 to 4: 61.2 records/s need 4."

    def test_a_decision_that_changes_nothing_is_none(self, world: World) -> None:
        world.tick()

        assert world.events == []


class TestLines:
    def test_there_is_one_for_another_decision_with_all_numbers(self, world: World) -> None:
        with capture_logs() as lines:
            for _ in range(3):
                world.tick()

        (line,) = lines
        assert (line["event"], line["reason"], line["action"], line["numbers"]["lag"]) == (
            "scaler_decided", "Steady", "nothing", 120.0
        )  # fmt: skip

    def test_a_problem_is_one_until_it_is_another_one(self, world: World) -> None:
        world.tick()
        world.workloads.problem = "The API server doesn't answer."
        with capture_logs() as lines:
            world.tick()
            world.tick()
            world.workloads.problem = ""
            world.tick()

        assert [line["event"] for line in lines] == ["scaler_has_problem", "scaler_problem_over"]


class TestMetrics:
    def test_they_are_set_each_tick(self, world: World) -> None:
        world.script.wanted, world.script.reason = 4, Reason.SCALE_OUT

        world.tick()

        assert metric("scaler_replicas") == 1
        assert metric("scaler_desired_replicas") == 4
        assert metric("scaler_needed_replicas") == 3
        assert metric("scaler_lag_records") == 120
        assert metric("scaler_oldest_record_age_seconds") == 2.04
        assert metric("scaler_arrival_records_per_second") == 61.234
        assert metric("scaler_capacity_records_per_second") == 33
        assert metric("scaler_condition", condition="Ready") == 1
        assert metric("scaler_condition", condition="AtMaximum") == 0
        assert metric("scaler_decisions_total", reason="ScaleOut") == 1

    def test_what_isnt_known_is_no_number(self, world: World) -> None:
        world.tick()
        world.workloads.problem = "The API server doesn't answer."

        world.tick()

        for name in ("scaler_replicas", "scaler_lag_records", "scaler_capacity_records_per_second"):
            value = metric(name)
            assert value is not None
            assert math.isnan(value)
        assert metric("scaler_condition", condition="Ready") == 0
        assert metric("scaler_decisions_total", reason="ClusterUnavailable") == 1

    def test_a_scaler_that_is_gone_has_none(self, world: World) -> None:
        world.tick()

        world.reconciler.forget(NAME)

        assert metric("scaler_replicas") is None
        assert metric("scaler_condition", condition="Ready") is None
        assert metric("scaler_decisions_total", reason="Steady") is None

    def test_failures_are_counted_by_call(self, world: World) -> None:
        def count(call: str) -> float:
            return REGISTRY.get_sample_value("operator_errors_total", {"call": call}) or 0.0

        before = {call: count(call) for call in ("group_samples", "read_target", "scale", "write_status")}
        world.metrics.problem = world.workloads.scale_problem = world.scalers.problem = "no"
        world.script.wanted = 2
        world.tick()
        world.workloads.problem = "no"
        world.tick()

        grown = {call: count(call) - number for call, number in before.items()}
        assert grown == {"group_samples": 1, "read_target": 1, "scale": 1, "write_status": 2}
