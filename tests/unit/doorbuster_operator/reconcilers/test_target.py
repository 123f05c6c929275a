"""Whose target it is, and whether it is still the same one."""

import pytest

from doorbuster_operator.model.decision_record import Condition, Reason
from doorbuster_operator.model.workload import Workload
from tests.unit.doorbuster_operator.reconcilers.world import TARGET, TICK_SECONDS, World, spec


class TestAnotherTarget:
    @pytest.fixture(autouse=True)
    def scaled(self, world: World) -> None:
        world.script.wanted, world.script.reason = 4, Reason.SCALE_OUT
        world.tick()
        world.tick()

    def forgets_what_was_ordered(self, world: World) -> bool:
        world.tick()
        memory = world.script.seen[-1].memory
        return (memory.expected_replicas, memory.last_change, memory.watching_since) == (
            None, None, world.now - TICK_SECONDS
        )  # fmt: skip

    def test_what_people_read_stays(self, world: World) -> None:
        world.workloads.uids[TARGET] = "another"

        world.tick()

        assert [each["after"] for each in world.status["decisions"]] == [4]

    def test_a_target_that_was_made_again_is_another_one(self, world: World) -> None:
        world.workloads.uids[TARGET] = "another"

        assert self.forgets_what_was_ordered(world)

    def test_so_it_is_after_a_restart(self, world: World) -> None:
        world.workloads.uids[TARGET] = "another"
        world.restart()

        assert self.forgets_what_was_ordered(world)

    def test_a_target_of_another_name_is_another_one(self, world: World) -> None:
        world.workloads.workloads["other"] = Workload(replicas=1, ready=1, pods=())
        world.spec = spec(targetRef={"name": "other"})

        assert self.forgets_what_was_ordered(world)

    def test_a_target_that_was_missing_is_another_one(self, world: World) -> None:
        target = world.workloads.workloads.pop(TARGET)
        world.tick()
        world.workloads.workloads[TARGET] = target

        world.tick()

        assert world.script.seen[-1].memory.expected_replicas is None

    @pytest.mark.parametrize("fields", [{"consumerGroup": "other"}, {"topics": ["order-created", "order-cancelled"]}])
    def test_another_group_or_another_topic_makes_it_another_one(self, world: World, fields: dict[str, object]) -> None:
        world.spec = spec(**fields)

        assert self.forgets_what_was_ordered(world)

    def test_an_order_without_an_answer_isnt_looked_for_there(self, world: World) -> None:
        world.workloads.scale_problem = "The API server doesn't answer in time."
        world.script.wanted = 6
        world.tick()
        world.workloads.workloads[TARGET] = Workload(replicas=6, ready=1, pods=())
        world.workloads.uids[TARGET] = "another"

        assert self.forgets_what_was_ordered(world)


class TestSharedTarget:
    def test_a_target_that_an_older_scaler_has_is_left_to_it(self, world: World) -> None:
        world.script.wanted, world.script.reason = 4, Reason.SCALE_OUT

        world.tick(rival="older")

        assert world.workloads.scaled == []
        ready = world.condition(Condition.READY)
        assert (ready["status"], ready["reason"]) == ("False", "TargetShared")
        assert ready["message"] == f"Deployment {TARGET} is scaled by older, which is older."
        assert world.status["reason"] == "TargetShared"

    def test_a_scaler_that_gets_the_target_back_begins_anew(self, world: World) -> None:
        world.tick()
        world.tick(rival="older")

        world.tick()

        assert world.script.seen[-1].memory.expected_replicas is None
