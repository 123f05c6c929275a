import pytest
from click.testing import CliRunner

from doorbuster.jobs import audit as job
from doorbuster.jobs.audit import NOT_LOOKED, main
from tests.ports import free_port


@pytest.fixture(autouse=True)
def logs_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    # The runner's output is no stream that logs could go to.
    monkeypatch.setattr(job, "configure", lambda *_: None)


def test_without_a_database_it_says_so_and_ends_with_2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOORBUSTER_MYSQL__HOSTS", "127.0.0.1")
    monkeypatch.setenv("DOORBUSTER_MYSQL__PORT", str(free_port()))

    result = CliRunner().invoke(main, ["--json"])

    assert result.exit_code == NOT_LOOKED
    assert "not_audited" in result.output


def test_an_order_cannot_be_given_less_than_a_second() -> None:
    result = CliRunner().invoke(main, ["--final-within-seconds", "0"])

    assert result.exit_code == NOT_LOOKED
    assert "--final-within-seconds" in result.output
