"""What happens while a decision is made: it is not overwritten, and too old a decision orders nothing."""

import pytest

from doorbuster_operator.model.decision_record import Reason
from doorbuster_operator.model.workload import Workload
from tests.unit.doorbuster_operator.reconcilers.world import TARGET, World


def has_replicas(world: World, replicas: int) -> None:
    world.workloads.workloads[TARGET] = Workload(replicas=replicas, ready=1, pods=())


class TestWhatHappensMeanwhile:
    @pytest.fixture(autouse=True)
    def wanting(self, world: World) -> None:
        world.tick()
        world.script.wanted, world.script.reason = 4, Reason.SCALE_OUT

    def test_a_number_that_somebody_else_orders_isnt_overwritten(self, world: World) -> None:
        world.script.meanwhile = lambda: has_replicas(world, 7)

        world.tick()

        assert world.replicas == 7
        assert " Not scaled from 1 to 4: Deployment " in world.status["message"]
        assert (world.status["expectedReplicas"], world.events) == (1, [])
        assert len(world.status["decisions"]) == 1

    def test_the_next_look_sees_a_foreign_number_even_if_it_is_the_one_that_was_wanted(self, world: World) -> None:
        world.script.meanwhile = lambda: has_replicas(world, 4)
        world.tick()

        world.tick()

        seen = world.script.seen[-1]
        assert (seen.workload.replicas, seen.memory.expected_replicas, seen.memory.last_change) == (4, 1, None)

    def test_a_look_that_took_too_long_orders_nothing(self, world: World) -> None:
        def linger() -> None:
            world.now += 6.0

        world.script.meanwhile = linger

        world.tick()

        assert world.workloads.scaled == []
        assert world.status["message"].endswith("Not scaled from 1 to 4: What it was decided on was seen 6.0 s ago.")

    def test_a_look_in_time_orders(self, world: World) -> None:
        def linger() -> None:
            world.now += 5.0

        world.script.meanwhile = linger

        world.tick()

        assert world.workloads.scaled == [(TARGET, 4)]
