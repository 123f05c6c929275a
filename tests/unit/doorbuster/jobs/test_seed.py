"""The seeding's command line."""

import asyncio
import json

import pytest
from click.testing import CliRunner, Result

from doorbuster.bootstrap.prepare import SeedProfile
from doorbuster.bootstrap.seeding import ProfileSeeded
from doorbuster.infra.mysql.checkpointed_seeding import Seeded
from doorbuster.jobs import seed as job
from doorbuster.kernel.errors import NotAccepted
from doorbuster.settings import Settings

PART = Seeded(part="users", new=3, done=10, of=20, seconds=1.5, rows_per_second=6)


def run(
    monkeypatch: pytest.MonkeyPatch, *arguments: str, outcome: ProfileSeeded | Exception
) -> tuple[Result, list[tuple[SeedProfile, bool]]]:
    asked: list[tuple[SeedProfile, bool]] = []

    async def seed_profile(
        _: Settings, profile: SeedProfile, *, stop: asyncio.Event, from_start: bool
    ) -> ProfileSeeded:
        asked.append((profile, from_start))
        assert not stop.is_set()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr(job, "seed_profile", seed_profile)
    # The runner's output is no stream that logs could go to.
    monkeypatch.setattr(job, "configure", lambda *_: None)
    return CliRunner().invoke(job.main, arguments), asked


def seeded(*, complete: bool) -> ProfileSeeded:
    return ProfileSeeded(profile=SeedProfile.LOAD, parts=[PART], complete=complete)


def test_the_answer_is_one_line_of_json(monkeypatch: pytest.MonkeyPatch) -> None:
    result, asked = run(monkeypatch, "--profile=load", outcome=seeded(complete=True))

    assert asked == [(SeedProfile.LOAD, False)]
    assert (result.exit_code, result.stdout.count("\n")) == (0, 1)
    assert json.loads(result.stdout) == {
        "profile": "load",
        "parts": [{"part": "users", "new": 3, "done": 10, "of": 20, "seconds": 1.5, "rows_per_second": 6}],
        "complete": True,
    }


def test_what_was_ended_early_says_how_far_it_came_and_ends_with_130(monkeypatch: pytest.MonkeyPatch) -> None:
    result, _ = run(monkeypatch, "--profile=load", outcome=seeded(complete=False))

    assert result.exit_code == 130
    assert json.loads(result.stdout)["parts"][0]["done"] == 10


def test_from_start_is_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    _, asked = run(monkeypatch, "--profile=test", "--from-start", outcome=seeded(complete=True))

    assert asked == [(SeedProfile.TEST, True)]


def test_a_failure_ends_with_1_and_without_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    result, _ = run(monkeypatch, "--profile=load", outcome=NotAccepted("no primary"))

    assert result.exit_code == 1
    assert "Error: no primary" in result.output


def test_the_deadline_ends_it_as_a_person_would(monkeypatch: pytest.MonkeyPatch) -> None:
    async def seed_profile(_: Settings, __: SeedProfile, *, stop: asyncio.Event, from_start: bool) -> ProfileSeeded:
        assert not from_start
        await stop.wait()
        return seeded(complete=False)

    monkeypatch.setattr(job, "seed_profile", seed_profile)
    monkeypatch.setattr(job, "configure", lambda *_: None)

    assert CliRunner().invoke(job.main, ["--profile=load", "--deadline-seconds=0.01"]).exit_code == 130


@pytest.mark.parametrize("arguments", [(), ("--profile=huge",), ("--profile=load", "--deadline-seconds=0")])
def test_wrong_arguments_are_explained(monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]) -> None:
    result, asked = run(monkeypatch, *arguments, outcome=seeded(complete=True))

    assert (result.exit_code, asked) == (2, [])
    assert "Error: " in result.output
