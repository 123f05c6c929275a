from pathlib import Path

import pytest

from doorbuster_operator.__main__ import main
from doorbuster_operator.settings import PREFIX, Settings, UnusableSettings, read_settings

REQUIRED = {"PROMETHEUS_URL": "http://observability-prometheus:9090", "NAMESPACE": "doorbuster"}


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in REQUIRED.items():
        monkeypatch.setenv(PREFIX + name, value)
    return monkeypatch


def complaint() -> str:
    with pytest.raises(UnusableSettings) as error:
        read_settings()
    return str(error.value)


@pytest.mark.usefixtures("told")
def test_two_variables_are_enough() -> None:
    settings = read_settings()

    assert settings.watched == ("doorbuster",)
    assert (settings.tick_seconds, settings.scrape_seconds, settings.request_seconds) == (5, 5, 1)
    assert settings.calls_seconds == 2.5
    assert (settings.metrics_port, settings.liveness_port) == (9100, 9101)
    assert settings.kubeconfig is None
    assert settings.identity


def test_namespaces_are_a_list(told: pytest.MonkeyPatch) -> None:
    told.setenv(f"{PREFIX}NAMESPACES", "shop, tickets,shop")

    assert read_settings().watched == ("shop", "tickets")


def test_a_variable_that_is_empty_counts_as_not_set(told: pytest.MonkeyPatch) -> None:
    for name in ("NAMESPACES", "KUBECONFIG", "TICK_SECONDS", "IDENTITY"):
        told.setenv(PREFIX + name, "")

    settings = read_settings()

    assert settings.watched == ("doorbuster",)
    assert settings.kubeconfig is None
    assert settings.identity != ""


def test_a_kubeconfig_is_a_file(told: pytest.MonkeyPatch) -> None:
    told.setenv(f"{PREFIX}KUBECONFIG", "/tmp/config")

    assert read_settings().kubeconfig == Path("/tmp/config")


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in REQUIRED:
        monkeypatch.delenv(PREFIX + name, raising=False)

    assert complaint().splitlines() == [f"{PREFIX}PROMETHEUS_URL: field required", f"{PREFIX}NAMESPACE: field required"]


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("PROMETHEUS_URL", "observability-prometheus:9090", "should match pattern"),
        ("NAMESPACE", "Door Buster", "should match pattern"),
        ("NAMESPACES", "shop,Tickets", "should match pattern"),
        ("TICK_SECONDS", "0", "greater than 0"),
        ("TICK_SECONDS", "soon", "valid number"),
        ("LOG_LEVEL", "LOUD", "should be one of DEBUG, INFO, WARNING, ERROR"),
        ("METRICS_PORT", "70000", "less than or equal to 65535"),
        ("REQUEST_SECONDS", "2", "is above a quarter of DOORBUSTER_OPERATOR_TICK_SECONDS 5"),
    ],
)
def test_what_makes_no_sense_is_named(told: pytest.MonkeyPatch, name: str, value: str, says: str) -> None:
    told.setenv(PREFIX + name, value)

    assert complaint().startswith(f"{PREFIX}{name}")
    assert says in complaint()


def test_a_process_that_is_told_nonsense_says_so_and_ends_with_2(
    told: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told.setenv(f"{PREFIX}TICK_SECONDS", "0")

    with pytest.raises(SystemExit) as ended:
        main([])

    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert said.splitlines()[0] == f"{PREFIX}TICK_SECONDS: input should be greater than 0"
    assert "--help" in said


def test_help_tells_about_every_variable(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])

    said = capsys.readouterr().out
    assert ended.value.code == 0
    assert [name for name in Settings.model_fields if f"{PREFIX}{name.upper()}  " not in said] == []
    assert "so at most 10. Default: 5.0." in said
