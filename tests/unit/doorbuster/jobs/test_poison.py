"""The poison producer's command line, and that it is off."""

import json

import pytest
from click.testing import CliRunner, Result

from doorbuster.bootstrap.poison import Dose, Sent
from doorbuster.contracts.topics import Topic
from doorbuster.infra.faults.poison import PoisonKind
from doorbuster.jobs import command_line
from doorbuster.jobs import poison as job
from doorbuster.settings import Settings


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Result:
    # The runner's output is no stream that logs could go to.
    monkeypatch.setattr(command_line, "configure", lambda *_: None)
    return CliRunner().invoke(job.main, arguments)


def test_without_its_switch_nothing_is_sent_and_the_switch_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    result = run(monkeypatch, "--kind=malformed")

    assert result.exit_code == 1
    assert "faults.enabled=true and faults.poison=true" in result.output


def test_the_arguments_become_the_dose_and_the_answer_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    doses: list[Dose] = []

    async def poison(_: Settings, dose: Dose) -> list[Sent]:
        doses.append(dose)
        return [Sent(partition=1, offset=7)]

    monkeypatch.setattr(job, "poison", poison)

    result = run(monkeypatch, "--topic=coupon-used", "--count=3", "--kind=oversized")

    assert doses == [Dose(topic=Topic.COUPON_USED, kind=PoisonKind.OVERSIZED, count=3)]
    assert json.loads(result.stdout) == {
        "topic": "coupon-used", "kind": "oversized", "sent": [{"partition": 1, "offset": 7}]
    }  # fmt: skip


@pytest.mark.parametrize(
    "arguments", [(), ("--kind=sweet",), ("--kind=malformed", "--count=0"), ("--kind=malformed", "--topic=weather")]
)
def test_wrong_arguments_are_explained(monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]) -> None:
    result = run(monkeypatch, *arguments)

    assert result.exit_code == 2
    assert "Error: " in result.output
