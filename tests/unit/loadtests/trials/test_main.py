from pathlib import Path

import pytest
from click.testing import CliRunner

from doorbuster_cluster.settings import REPOSITORY, read_settings
from loadtests.trials.__main__ import main, plan_for
from loadtests.trials.catalogue import Name


def test_without_a_name_the_scenarios_are_listed_a_line_each() -> None:
    result = CliRunner().invoke(main, [])

    lines = result.output.splitlines()
    assert result.exit_code == 0
    assert [line.split()[2] for line in lines] == [f"NAME={name}" for name in Name]
    assert all(len(line.split()) > 5 for line in lines)


def test_an_unknown_name_says_what_there_is() -> None:
    result = CliRunner().invoke(main, ["s9"])

    assert result.exit_code == 2
    assert "there is no scenario 's9'" in result.stderr
    assert "make scenario NAME=s3-spike" in result.stderr


@pytest.mark.parametrize("options", [["s5", "--iterations", "0"], ["s1", "--seed", "x"]])
def test_options_that_make_no_sense_are_refused(options: list[str]) -> None:
    assert CliRunner().invoke(main, options).exit_code == 2


def test_without_a_cluster_one_sentence_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOORBUSTER_CACHE", str(tmp_path / "cache"))

    result = CliRunner().invoke(main, ["S1", "--out", str(tmp_path / "out")])

    assert result.exit_code == 2
    assert "type `make up`" in result.stderr
    assert not (tmp_path / "out").exists()


def test_each_scenario_has_a_folder_of_its_own() -> None:
    settings = read_settings({"HOME": "/root", "DOORBUSTER_PORT": "8085"})
    plan = plan_for(settings, Name.S3_SPIKE, out=None, seed=1, iterations=1000)

    assert plan.folder == REPOSITORY / "out" / "scenarios" / "s3-spike"
    assert (plan.base_url, plan.command) == ("http://127.0.0.1:8085", "make scenario NAME=s3-spike")
