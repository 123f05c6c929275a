import os
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from doorbuster_cluster.commands.session import Machine
from doorbuster_cluster.host.lock import held
from doorbuster_cluster.settings import REPOSITORY, read_settings
from loadtests.demo import __main__ as command
from loadtests.demo.__main__ import main, plan_for
from loadtests.reports.evidence import Operator
from loadtests.rig.interrupts import Interrupts


def test_the_help_says_what_happens_and_how_it_ends() -> None:
    text = CliRunner().invoke(main, ["--help"]).output

    for word in ("calibration", "recovery", "NOT COMPARABLE", "130", "--operator", "--peak"):
        assert word in text


@pytest.mark.parametrize("options", [["--peak", "0"], ["--peak", "many"], ["--peak", "nan"], ["--operator", "maybe"]])
def test_a_run_that_makes_no_sense_is_refused(options: list[str]) -> None:
    assert CliRunner().invoke(main, options).exit_code == 2


@pytest.mark.parametrize(
    ("options", "status"),
    [([], 0), (["--operator", "OFF", "--peak", "50"], 0), (["--peak", "many"], 2), (["--operator", "maybe"], 2)],
)
def test_options_can_be_checked_before_anything_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], status: int
) -> None:
    # There is no cluster, and nobody looks for one.
    monkeypatch.setenv("DOORBUSTER_CACHE", str(tmp_path / "cache"))

    result = CliRunner().invoke(main, ["--only-check-options", *options])

    assert result.exit_code == status
    assert result.stdout == ""
    assert not (tmp_path / "cache").exists()


def test_an_environment_that_makes_no_sense_is_found_by_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOORBUSTER_PORT", "many")

    assert CliRunner().invoke(main, ["--only-check-options"]).exit_code == 1


@pytest.mark.parametrize(
    ("over", "said"), [(False, "before anything was changed"), (True, "after the run had come to its end")]
)
def test_an_interrupt_outside_of_the_run_is_told_as_what_it_is(
    monkeypatch: pytest.MonkeyPatch, *, over: bool, said: str
) -> None:
    def interrupted(_settings: object, _plan: object, _console: object, interrupts: Interrupts) -> int:
        with interrupts.watched():
            if not over:
                raise KeyboardInterrupt
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "_run", interrupted)
    result = CliRunner().invoke(main, [])

    assert result.exit_code == 130
    assert said in result.stderr


def test_off_may_be_shouted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOORBUSTER_CACHE", str(tmp_path / "cache"))

    # There is no cluster: the option was understood, or it would be 2.
    assert CliRunner().invoke(main, ["--operator", "OFF", "--out", str(tmp_path / "out")]).exit_code == 1


def test_results_with_and_without_the_operator_stay_beside_each_other() -> None:
    settings = read_settings({"HOME": "/root", "DOORBUSTER_PORT": "8085"})
    on, off = (plan_for(settings, operator=each, peak=5, out=None, seed=1) for each in Operator)

    assert (on.folder, off.folder) == (REPOSITORY / "out" / "demo", REPOSITORY / "out" / "demo-off")
    assert on.base_url == "http://127.0.0.1:8085"


def test_without_a_cluster_one_sentence_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOORBUSTER_CACHE", str(tmp_path / "cache"))

    result = CliRunner().invoke(main, ["--out", str(tmp_path / "out")])

    assert result.exit_code == 1
    assert "there is no cluster" in result.stderr
    assert "make up" in result.stderr
    # Not even a folder: `make down` and `make up` take a cluster's folder for a cluster.
    assert not (tmp_path / "cache" / "clusters").exists()
    assert not (tmp_path / "out").exists()


def test_a_run_beside_another_one_or_beside_make_up_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kubeconfig: dict[str, object]
) -> None:
    monkeypatch.setenv("DOORBUSTER_CACHE", str(tmp_path))
    monkeypatch.setenv("DOORBUSTER_CLUSTER", "sale")
    settings = read_settings(os.environ)
    settings.state.mkdir(parents=True)
    settings.kubeconfig.write_text(yaml.safe_dump(kubeconfig))

    with held(Machine(settings).lock, "make up"):
        result = CliRunner().invoke(main, ["--out", str(tmp_path / "out")])

    assert result.exit_code == 1
    assert "(make up)" in result.stderr
    assert not (tmp_path / "out").exists()
