import asyncio

import pytest
from click.testing import CliRunner, Result

from doorbuster.bootstrap.prepare import CLUSTERS_OWN, Preparation, SeedProfile
from doorbuster.jobs import prepare as job
from doorbuster.kernel.errors import NotAccepted
from doorbuster.settings import Settings


def run(
    monkeypatch: pytest.MonkeyPatch, outcome: Exception | None, *arguments: str
) -> tuple[Result, list[Preparation]]:
    plans: list[Preparation] = []

    async def prepare(_: Settings, plan: Preparation) -> None:
        plans.append(plan)
        if outcome is not None:
            raise outcome

    monkeypatch.setattr(job, "prepare", prepare)
    # The runner's output is no stream that logs could go to.
    monkeypatch.setattr(job, "configure", lambda _: None)
    return CliRunner().invoke(job.main, arguments), plans


def test_the_arguments_become_the_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    result, plans = run(monkeypatch, None, "--profile=local", "--partitions=6", "--allow-grow")

    assert result.exit_code == 0
    assert plans == [
        Preparation(
            profile=SeedProfile.LOCAL,
            partitions=6,
            replication_factor=CLUSTERS_OWN,
            allow_grow=True,
            patience_seconds=120,
        )
    ]


@pytest.mark.parametrize(
    "arguments", [(), ("--profile=huge",), ("--profile=load",), ("--profile=test", "--partitions=0")]
)
def test_wrong_arguments_are_explained(monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]) -> None:
    result, plans = run(monkeypatch, None, *arguments)

    assert result.exit_code == 2
    assert "Error: " in result.output
    assert plans == []


def test_a_failure_ends_with_1_and_without_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    result, _ = run(monkeypatch, NotAccepted("waited 120 s for Kafka"), "--profile=test")

    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)


def test_the_deadline_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async def prepare(_: Settings, __: Preparation) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(job, "prepare", prepare)
    monkeypatch.setattr(job, "configure", lambda _: None)

    assert CliRunner().invoke(job.main, ["--profile=test", "--deadline-seconds=0.01"]).exit_code == 1


def test_the_help_says_which_products_are_special() -> None:
    text = " ".join(CliRunner().invoke(job.main, ["--help"]).output.split())

    assert "product 1 is doorbuster-test" in text
    assert "doorbuster-scarce, has 5 units" in text
