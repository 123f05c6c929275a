import json
from collections.abc import Mapping

import pytest
from click.testing import CliRunner, Result

from doorbuster.bootstrap.warm_up import WarmUp
from doorbuster.bootstrap.warmable import Warmed
from doorbuster.infra.cache.shared_cache import CacheAway
from doorbuster.jobs import command_line
from doorbuster.jobs import warm_up as job
from doorbuster.settings import Settings

DONE = {"products": Warmed(named=3, filled=2, unknown=1, outdated=0)}


def run(
    monkeypatch: pytest.MonkeyPatch, *arguments: str, failure: Exception | None = None
) -> tuple[Result, list[WarmUp]]:
    plans: list[WarmUp] = []

    async def warm_up(_: Settings, wanted: WarmUp) -> Mapping[str, Warmed]:
        plans.append(wanted)
        if failure is not None:
            raise failure
        return DONE

    monkeypatch.setattr(job, "warm_up", warm_up)
    # The runner's output is no stream that logs could go to.
    monkeypatch.setattr(command_line, "configure", lambda *_: None)
    return CliRunner().invoke(job.main, arguments), plans


def test_the_products_are_filled_and_the_answer_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    result, plans = run(monkeypatch, "--products=1-2,9", "--keep-seconds=30")

    assert plans == [WarmUp(products=(range(1, 3), range(9, 10)), keep_seconds=30.0)]
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {"products": {"named": 3, "filled": 2, "unknown": 1, "outdated": 0}}


def test_gates_of_coupons_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    _, plans = run(monkeypatch, "--coupons=3")

    assert plans == [WarmUp(coupons=(range(3, 4),))]


@pytest.mark.parametrize(
    "words", [["--products=x"], ["--products=3-1"], ["--products=1-1000001"], ["--coupons=1-201"], []]
)
def test_what_names_nothing_or_too_much_is_refused(monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    result, plans = run(monkeypatch, *words)

    assert (result.exit_code, plans) == (2, [])


@pytest.mark.parametrize(
    ("words", "seconds"),
    [([], 600.0), (["--keep-seconds=3600"], 4200.0), (["--keep-seconds=3600", "--deadline-seconds=7"], 7.0)],
)
def test_the_keeping_has_time_unless_a_deadline_is_named(
    monkeypatch: pytest.MonkeyPatch, words: list[str], seconds: float
) -> None:
    given: list[float] = []

    def answered(_: object, *, within_seconds: float, too_late: str) -> Mapping[str, Warmed]:
        given.append(within_seconds)
        return DONE

    monkeypatch.setattr(job, "answered", answered)
    result = CliRunner().invoke(job.main, ["--products=1", *words])

    assert (result.exit_code, given) == (0, [seconds])


@pytest.mark.parametrize("failure", [CacheAway("Redis does not answer"), TimeoutError()])
def test_a_failure_ends_with_1(monkeypatch: pytest.MonkeyPatch, failure: Exception) -> None:
    result, _ = run(monkeypatch, "--products=1", failure=failure)

    assert result.exit_code == 1
