import re
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from doorbuster.settings import Settings
from doorbuster_cluster.settings import Settings as ClusterSettings


def test_lists_groups_and_issuers_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOORBUSTER_MYSQL__HOSTS", "mysql-0, mysql-1")
    monkeypatch.setenv("DOORBUSTER_API__PORT", "8001")
    monkeypatch.setenv("DOORBUSTER_AUTH__ISSUERS", '[{"issuer": "us", "jwks_url": "http://issuer/keys"}]')

    settings = Settings()

    assert settings.mysql.hosts == ("mysql-0", "mysql-1")
    assert settings.api.port == 8001
    assert [(each.issuer, each.jwks_url) for each in settings.auth.issuers] == [("us", "http://issuer/keys")]


def test_no_variable_of_the_local_cluster_is_one_of_the_applications() -> None:
    of_the_cluster = set(re.findall(r"DOORBUSTER_[A-Z_]+", ClusterSettings.__doc__ or ""))

    assert "DOORBUSTER_CACHE" in of_the_cluster
    assert of_the_cluster.isdisjoint(f"DOORBUSTER_{name}".upper() for name in Settings.model_fields)


def test_without_a_word_nobodys_tokens_are_believed() -> None:
    assert Settings().auth.issuers == ()


@pytest.mark.parametrize(
    ("text", "milliseconds"), [("120ms", 120), ("1.5s", 1500), ("0", 0), ("", 0), ("0ms", 0), ("10s", 10_000)]
)
def test_a_fault_delay_is_a_number_with_a_unit(monkeypatch: pytest.MonkeyPatch, text: str, milliseconds: int) -> None:
    monkeypatch.setenv("DOORBUSTER_FAULTS__DELAY_PER_RECORD", text)

    assert Settings().faults.delay_per_record == timedelta(milliseconds=milliseconds)


def test_without_a_word_there_is_no_fault() -> None:
    assert Settings().faults.delay_per_record == timedelta(0)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DOORBUSTER_AUTH__ISSUERS", '[{"issuer": "us", "jwks_url": "file:///etc/passwd"}]'),
        ("DOORBUSTER_AUTH__ISSUERS", '[{"issuer": "", "jwks_url": "http://issuer/keys"}]'),
        ("DOORBUSTER_AUTH__LEEWAY_SECONDS", "3600"),
        ("DOORBUSTER_API__PORT", "0"),
        ("DOORBUSTER_API__DEADLINE_SECONDS", "0"),
        ("DOORBUSTER_FAULTS__DELAY_PER_RECORD", "10001ms"),
        ("DOORBUSTER_FAULTS__DELAY_PER_RECORD", "-1ms"),
        ("DOORBUSTER_FAULTS__DELAY_PER_RECORD", "120"),
        ("DOORBUSTER_FAULTS__DELAY_PER_RECORD", "1m"),
        ("DOORBUSTER_FAULTS__ERROR_RATE", "1.1"),
        ("DOORBUSTER_FAULTS__STUCK_PARTITION", "order-created"),
        ("DOORBUSTER_FAULTS__SLOW_QUERY", "1501ms"),
        ("DOORBUSTER_CATALOGUE__MINIMUM_PRODUCTS", "0"),
    ],
)
def test_unsafe_values_refuse_to_start(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(ValidationError):
        Settings()


def test_a_password_is_read_from_its_file_each_time_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "password"
    file.write_text("first\n")
    monkeypatch.setenv("DOORBUSTER_MYSQL__PASSWORD_FILE", str(file))
    settings = Settings()

    assert settings.mysql.password.get_secret_value() == "first"
    file.write_text("second")
    assert settings.mysql.password.get_secret_value() == "second"
    assert "second" not in repr(settings.mysql.password)


def test_each_level_of_copies_is_on_unless_it_is_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (Settings().copies.process, Settings().copies.redis) == (True, True)

    monkeypatch.setenv("DOORBUSTER_COPIES__PROCESS", "false")
    monkeypatch.setenv("DOORBUSTER_COPIES__REDIS", "false")
    assert (Settings().copies.process, Settings().copies.redis) == (False, False)
