from pathlib import Path

import pytest
from click.testing import CliRunner

from loadtests.reports.timeline import clock
from loadtests.trials.catalogue import Name
from loadtests.trials.note import main
from tests.unit.loadtests.trials.stage import Stage


def written(runs: Path, out: Path) -> str:
    result = CliRunner().invoke(main, ["--runs", str(runs), "--out", str(out)])
    assert result.exit_code == 0, result.output
    return out.read_text()


def test_what_was_not_run_is_called_so(tmp_path: Path) -> None:
    text = written(tmp_path / "runs", tmp_path / "docs" / "commerce.md")

    assert text.count("*not run here*") == len(Name)
    assert "##" not in text.replace("# Commerce under load", "")


def test_the_note_has_what_a_run_has_measured(tmp_path: Path, stage: Stage) -> None:
    stage.folder = tmp_path / "runs" / "s1"
    stage.run(Name.S1)
    text = written(tmp_path / "runs", tmp_path / "docs" / "commerce.md")

    assert (tmp_path / "docs" / "commerce-s1.png").read_bytes() == (stage.folder / "plot.png").read_bytes()
    assert "![What was measured](commerce-s1.png)" in text
    assert "Typed: `make scenario NAME=s1`, 20" in text
    assert f"; took {clock(stage.summary.seconds)} min." in text
    assert "| charges and orders | 3,000 |" in text
    assert "| succeeded of scheduled | 100.00 % | above 99 % | passed |" in text
    assert "The auditor: *no breach*, looked at 10 orders in 2 s." in text
    assert "`witness.calls.jsonl`, `witness.jsonl` in `out/scenarios/s1/`" in text
    assert stage.summary.place in text
    assert text.count("*not run here*") == len(Name) - 1


@pytest.mark.parametrize("content", ["", "[]", '{"version": 1}', '{"version": 99}'])
def test_a_summary_that_cannot_be_read_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "s4" / "summary.json"
    path.parent.mkdir()
    path.write_text(content)

    result = CliRunner().invoke(main, ["--runs", str(tmp_path), "--out", str(tmp_path / "note.md")])
    assert (result.exit_code, str(path) in result.stderr) == (1, True)
    assert not (tmp_path / "note.md").exists()
