import structlog

from doorbuster_operator.handlers.roles import Namespace
from doorbuster_operator.handlers.waiting import wait_until_served
from tests.unit.doorbuster_operator.handlers.loops import FakeObjects, FakeReconciler


class Installation:
    """The kind is served after so many pauses."""

    def __init__(self, pauses: int) -> None:
        self.objects = FakeObjects(found=None if pauses else ())
        self.beats = 0
        self.paused = 0.0
        self._left = pauses

    async def pause(self, seconds: float) -> None:
        self.paused += seconds
        self._left -= 1
        if self._left == 0:
            self.objects.found = ()

    def beat(self) -> None:
        self.beats += 1

    async def waited_for(self, *others: FakeObjects) -> None:
        namespaces = [
            Namespace(name=f"n{number}", objects=objects, reconciler=FakeReconciler())
            for number, objects in enumerate((self.objects, *others))
        ]
        await wait_until_served(namespaces, request_seconds=5, beat=self.beat, pause=self.pause)


async def test_a_kind_that_is_served_is_not_waited_for() -> None:
    installation = Installation(pauses=0)

    await installation.waited_for()

    assert installation.paused == 0


async def test_waiting_goes_on_until_the_kind_is_served_and_is_no_standstill() -> None:
    installation = Installation(pauses=100)

    await installation.waited_for()

    assert installation.paused == 100
    assert installation.beats == 101


async def test_one_namespace_that_answers_is_enough() -> None:
    await Installation(pauses=0).waited_for(FakeObjects(found=None))


async def test_every_ten_seconds_a_line_says_why() -> None:
    with structlog.testing.capture_logs() as lines:
        await Installation(pauses=25).waited_for()

    waiting = [line for line in lines if line["event"] == "waits_for_kind"]
    assert len(waiting) == 3
    assert waiting[0]["reasons"] == ["n0: ClusterUnavailable the API server answers 404"]
