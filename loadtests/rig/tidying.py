"""Brings the platform back: every step is tried, whatever became of those before, and what didn't work is said."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from doorbuster_cluster.errors import ClusterError
from doorbuster_cluster.progress import Progress
from loadtests.rig.interrupts import Interrupts


@dataclass(frozen=True, slots=True, kw_only=True)
class Tidy:
    """A step of the clean-up.

    Attributes:
        what: what it does, as a person would say it.
        do: does it; whatever it raises is a problem to tell.
        tries: how often it is tried.
        hint: what a person does if it didn't work, where the problem doesn't say it.
    """

    what: str
    do: Callable[[], object]
    tries: int = 1
    hint: str = ""


def tidy(steps: Sequence[Tidy], *, progress: Progress, interrupts: Interrupts) -> list[str]:
    """Do all steps; return a sentence for each that didn't work, with what to do."""
    problems = []
    for step in steps:
        interrupts.clean(step.what)
        if problem := _done(step, progress):
            problems.append(problem)
    return problems


def _done(step: Tidy, progress: Progress) -> str:
    problem = ""
    for _ in range(step.tries):
        try:
            with progress.step(step.what):
                step.do()
        except Exception as exc:  # noqa: BLE001  # a bug in one step must not keep the others from being taken
            # A second Ctrl-C reaches the programs that we run as well, and ends them.
            problem = f"{step.what}: {_said(exc, step.hint)}"
        else:
            return ""
    return problem


def _said(exc: Exception, otherwise: str) -> str:
    if not isinstance(exc, ClusterError):
        return f"{exc!r} → {otherwise}" if otherwise else repr(exc)
    hint = exc.hint or otherwise
    return f"{exc} → {hint}" if hint else str(exc)
