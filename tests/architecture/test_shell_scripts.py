import re
from pathlib import Path

import pytest

from doorbuster_cluster.process import attempt
from tests.architecture.repository import all_files, shown, text_of

SHEBANG = re.compile(r"#!\s*\S*/(?:env )?(sh|bash|dash)\b")


def shell_of(path: Path) -> str | None:
    """Return the shell that a script is written for; None for other files."""
    match = SHEBANG.match(text_of(path).partition("\n")[0])
    if match:
        return match.group(1)
    return "bash" if path.suffix == ".sh" else None


SCRIPTS = [path for path in all_files() if shell_of(path)]


@pytest.mark.parametrize("script", SCRIPTS, ids=shown)
def test_the_script_can_be_parsed_by_its_shell(script: Path) -> None:
    parsed = attempt([shell_of(script) or "bash", "-n", script])

    assert (parsed.returncode, parsed.stderr) == (0, "")


@pytest.mark.parametrize("script", SCRIPTS, ids=shown)
def test_shellcheck_finds_nothing(script: Path) -> None:
    # What a script reads in is checked with it.
    sources = ["--external-sources", "--source-path", "SCRIPTDIR"]
    checked = attempt(["shellcheck", "--format", "gcc", *sources, "--shell", shell_of(script) or "bash", script])

    assert checked.stdout + checked.stderr == ""


@pytest.mark.parametrize("script", [path for path in SCRIPTS if shell_of(path) == "bash"], ids=shown)
def test_a_bash_script_that_runs_by_itself_stops_at_the_first_error(script: Path) -> None:
    # A file without a shebang is read by others, and their option holds.
    assert "set -euo pipefail" in text_of(script) or not text_of(script).startswith("#!")
