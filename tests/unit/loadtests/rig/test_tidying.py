import io

from rich.console import Console

from doorbuster_cluster.errors import ClusterError
from doorbuster_cluster.progress import Progress
from loadtests.rig.interrupts import Interrupts
from loadtests.rig.tidying import Tidy, tidy


class Step:
    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.times = 0

    def __call__(self) -> None:
        self.times += 1
        if self.failures:
            raise self.failures.pop(0)


def done(*steps: Tidy) -> list[str]:
    progress = Progress(Console(file=io.StringIO()))
    return tidy(steps, progress=progress, interrupts=Interrupts(lambda _text: None))


def test_every_step_is_taken_also_after_one_that_failed() -> None:
    first, second = Step(ClusterError("no helm", hint="make up")), Step()

    problems = done(Tidy(what="fault off", do=first), Tidy(what="drained", do=second))

    assert problems == ["fault off: no helm → make up"]
    assert second.times == 1


def test_a_step_is_tried_again_as_often_as_it_says() -> None:
    step = Step(ClusterError("ended by a signal"), ClusterError("ended by a signal"))

    assert done(Tidy(what="fault off", do=step, tries=3)) == []
    assert step.times == 3


def test_the_last_problem_is_told() -> None:
    step = Step(ClusterError("first"), ClusterError("second"))

    assert done(Tidy(what="fault off", do=step, tries=2)) == ["fault off: second"]


def test_a_bug_in_a_step_does_not_keep_the_others_from_being_taken() -> None:
    first, second = Step(KeyError("lag")), Step()

    problems = done(Tidy(what="fault off", do=first, hint="make up"), Tidy(what="drained", do=second))

    assert problems == ["fault off: KeyError('lag') → make up"]
    assert second.times == 1


def test_a_problem_without_a_next_step_gets_that_of_its_step() -> None:
    problems = done(Tidy(what="fault off", do=Step(ClusterError("helm ended with 1")), hint="make up"))

    assert problems == ["fault off: helm ended with 1 → make up"]
