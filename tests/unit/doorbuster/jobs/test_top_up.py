import asyncio
import json

import pytest
from click.testing import CliRunner, Result

from doorbuster.bootstrap.top_up import ToppedUp, TopUp
from doorbuster.jobs import command_line
from doorbuster.jobs import top_up as job
from doorbuster.kernel.errors import NotAccepted
from doorbuster.kernel.ids import ProductId, UserId
from doorbuster.settings import Settings

DONE = ToppedUp(
    first_user=UserId(10_001), users=500, first_product=ProductId(3), products=400, hot_product=None, hot_units=0
)


def run(
    monkeypatch: pytest.MonkeyPatch, *arguments: str, outcome: ToppedUp | Exception = DONE
) -> tuple[Result, list[TopUp]]:
    plans: list[TopUp] = []

    async def top_up(_: Settings, wanted: TopUp) -> ToppedUp:
        plans.append(wanted)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr(job, "top_up", top_up)
    # The runner's output is no stream that logs could go to.
    monkeypatch.setattr(command_line, "configure", lambda *_: None)
    return CliRunner().invoke(job.main, arguments), plans


def test_the_arguments_become_the_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("--users=7", "--points=8", "--first-product=9", "--products=10", "--units=11", "--hot-units=12")

    _, plans = run(monkeypatch, *words)

    assert plans == [TopUp(users=7, points=8, first_product=ProductId(9), products=10, units=11, hot_units=12)]


def test_without_arguments_the_named_products_are_left_alone_and_nothing_is_hot(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, (plan,) = run(monkeypatch)

    assert (plan.first_product, plan.hot_units) == (3, 0)


def test_the_answer_is_one_line_of_json(monkeypatch: pytest.MonkeyPatch) -> None:
    result, _ = run(monkeypatch)

    assert (result.exit_code, result.stdout.count("\n")) == (0, 1)
    assert json.loads(result.stdout) == {
        "first_user": 10_001,
        "users": 500,
        "first_product": 3,
        "products": 400,
        "hot_product": None,
        "hot_units": 0,
    }


@pytest.mark.parametrize(
    "argument",
    ["--users=0", "--users=100001", "--products=100001", "--points=0", "--hot-units=-1", "--deadline-seconds=0"],
)
def test_wrong_arguments_are_explained(monkeypatch: pytest.MonkeyPatch, argument: str) -> None:
    result, plans = run(monkeypatch, argument)

    assert result.exit_code == 2
    assert "Error: " in result.output
    assert plans == []


def test_a_failure_ends_with_1_and_prints_nothing_that_looks_like_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    result, _ = run(monkeypatch, outcome=NotAccepted("no primary"))

    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert "first_user" not in result.output


def test_the_deadline_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async def top_up(_: Settings, __: TopUp) -> ToppedUp:
        await asyncio.Event().wait()
        return DONE

    monkeypatch.setattr(job, "top_up", top_up)
    monkeypatch.setattr(command_line, "configure", lambda *_: None)

    assert CliRunner().invoke(job.main, ["--deadline-seconds=0.01"]).exit_code == 1


def test_the_help_says_where_it_works() -> None:
    text = " ".join(CliRunner().invoke(job.main, ["--help"]).output.split())

    assert "Works only where DOORBUSTER_AUTH__ISSUERS names the development issuer" in text
    assert "1 and 2 are doorbuster-test and doorbuster-scarce" in text
