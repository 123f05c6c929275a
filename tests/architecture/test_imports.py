import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

from doorbuster_cluster.settings import REPOSITORY


def test_every_import_contract_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    status = lint_imports(config_filename=str(REPOSITORY / "pyproject.toml"), no_cache=True)

    assert (status, capsys.readouterr().out if status != EXIT_STATUS_SUCCESS else "") == (EXIT_STATUS_SUCCESS, "")
