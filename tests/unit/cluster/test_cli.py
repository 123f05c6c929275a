import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from doorbuster_cluster import cli
from doorbuster_cluster.errors import ClusterError
from doorbuster_cluster.settings import REPOSITORY
from tests.integration.polling import seconds_until

PATIENCE_SECONDS = 20.0
COMMANDS = {"doctor", "up", "down", "status", "clean", "diagnose", "images", "token", "skaffold", "build"}
# `make up` whose only task is a build that takes a minute.
LONG_RUN = """
import os, signal, sys
from pathlib import Path
from doorbuster_cluster import cli
from doorbuster_cluster.builds.detached import Detached
from doorbuster_cluster.work import Task, run_tasks

# Whoever runs the tests in the background has them started with Ctrl-C ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
folder = Path(sys.argv[1])
build = Detached(name="long", argv=["sh", "-c", "echo $$; exec sleep 60"], cwd=folder, environment=os.environ,
                 folder=folder)
cli.bring_up = lambda settings, progress: run_tasks([Task(name="long", run=lambda: wait(build), lane="one")])

def wait(build):
    print("waiting", flush=True)
    build.wait(60)

cli.main(["up"])
"""


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    """Put back what the command line does with SIGTERM: here it runs inside of the tests' own process."""
    former = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, former)


def call(*words: str) -> Result:
    return CliRunner().invoke(cli.main, words)


def fails_with(monkeypatch: pytest.MonkeyPatch, name: str, error: BaseException) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        raise error

    monkeypatch.setattr(cli, name, fail)


def test_help_lists_every_command_with_a_sentence() -> None:
    result = call("--help")

    listed = dict(re.findall(r"^  ([a-z]+)  +(\S.*)$", result.output, re.MULTILINE))
    assert result.exit_code == 0
    assert set(cli.main.commands) == COMMANDS == set(listed)


def test_help_names_every_variable_that_is_read() -> None:
    source = (REPOSITORY / "cluster/src/doorbuster_cluster/settings.py").read_text()

    assert set(re.findall(r'"(DOORBUSTER_\w+)"', source)) == set(re.findall(r"DOORBUSTER_\w+", call("--help").output))


def test_every_command_has_a_target_of_make_or_serves_the_tests_or_skaffold() -> None:
    targets = re.findall(r"\$\(CLUSTER\) (\w+)", (REPOSITORY / "Makefile").read_text())

    assert set(targets) == COMMANDS - {"images", "build"}


def test_an_error_is_one_sentence_and_a_next_step(monkeypatch: pytest.MonkeyPatch) -> None:
    fails_with(monkeypatch, "bring_up", ClusterError("no disk [left]", hint="type `make clean`"))

    result = call("up")

    assert result.exit_code == 1
    # What looks like rich's markup is somebody's words.
    assert result.stderr == "error: no disk [left]\n  → type `make clean`\n"
    assert "Traceback" not in result.output


def test_an_error_without_a_hint_is_just_the_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    fails_with(monkeypatch, "bring_down", ClusterError("no engine"))

    result = call("down")

    assert (result.exit_code, result.stderr) == (1, "error: no engine\n")


def test_a_variable_that_makes_no_sense_is_an_error_like_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOORBUSTER_PORT", "eighty")

    result = call("status")

    assert result.exit_code == 1
    assert result.stderr.startswith("error: DOORBUSTER_PORT is 'eighty'")


def test_an_error_of_ours_in_the_code_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    fails_with(monkeypatch, "empty_cache", RuntimeError("a mistake"))

    assert isinstance(call("clean").exception, RuntimeError)


@pytest.mark.parametrize(("command", "function"), [("doctor", "examine"), ("status", "show_status")])
@pytest.mark.parametrize(("good", "status"), [(True, 0), (False, 1)])
def test_a_judgement_is_the_exit_status(
    monkeypatch: pytest.MonkeyPatch, command: str, function: str, status: int, *, good: bool
) -> None:
    monkeypatch.setattr(cli, function, lambda *_: good)

    assert call(command).exit_code == status


def test_a_token_is_all_that_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "token_of", lambda _settings, user: f"abc.{user}.ghi")

    result = call("token", "7")

    assert (result.exit_code, result.stdout) == (0, "abc.7.ghi\n")


@pytest.mark.parametrize("user", ["0", "root"])
def test_a_token_is_for_a_user_by_number(user: str) -> None:
    assert call("token", user).exit_code == 2


@pytest.mark.parametrize("mode", ["run", "dev"])
def test_skaffolds_exit_status_is_ours(monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    monkeypatch.setattr(cli, "run_skaffold", lambda _settings, _progress, mode: {"run": 3, "dev": 0}[mode])

    assert call("skaffold", mode).exit_code == {"run": 3, "dev": 0}[mode]


def test_skaffold_is_not_asked_to_take_anything_away() -> None:
    assert call("skaffold", "delete").exit_code == 2


def test_a_build_takes_its_name_from_skaffold(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str]] = []
    monkeypatch.setenv("IMAGE", "localhost:5001/doorbuster/apps:abc")
    monkeypatch.setattr(
        cli, "build_for_skaffold", lambda _settings, _progress, name, reference: asked.append((name, reference))
    )

    assert call("build", "apps").exit_code == 0
    assert asked == [("apps", "localhost:5001/doorbuster/apps:abc")]


@pytest.mark.parametrize("words", [("build", "mysql"), ("build", "apps")])
def test_a_build_needs_one_of_our_images_and_a_name(monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]) -> None:
    monkeypatch.delenv("IMAGE", raising=False)

    assert call(*words).exit_code == 2


def test_ctrl_c_says_what_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    fails_with(monkeypatch, "bring_up", KeyboardInterrupt())

    result = call("up")

    assert result.exit_code == 130
    assert result.stderr == "interrupted; a build that was under way goes on, the next run picks it up\n"


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_waiting_at_once_and_not_the_build(tmp_path: Path, sent: signal.Signals) -> None:
    waiting = subprocess.Popen(
        [sys.executable, "-c", LONG_RUN, tmp_path],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY / "cluster" / "src"), "HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with waiting:
        assert waiting.stdout is not None
        assert waiting.stdout.readline() == "waiting\n"
        build = read_pid(tmp_path / "long.pid")
        waiting.send_signal(sent)
        _, told = waiting.communicate(timeout=PATIENCE_SECONDS)

    assert waiting.returncode == 130
    assert "a build that was under way goes on" in told
    os.killpg(build, signal.SIGKILL)  # fails if it went with its waiter


def read_pid(path: Path) -> int:
    seconds_until(lambda: path.read_text().count(" ") == 1, within_seconds=PATIENCE_SECONDS, what="the build")
    return int(path.read_text().split()[0])
