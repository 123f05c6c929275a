"""Kafka's entry script and settings, as far as they can be judged without a server."""

import re
from pathlib import Path

from tests.integration.kafka.cluster import node_environment

DATA_CHART = Path(__file__).parents[3] / "charts" / "data"
SCRIPT = DATA_CHART / "files" / "kafka" / "start.sh"
SETTINGS = DATA_CHART / "files" / "kafka" / "server.properties"
STATEFULSET = DATA_CHART / "templates" / "kafka" / "statefulset.yaml"


def settings() -> list[str]:
    """The names of the settings in the shared file, in its order."""
    return re.findall(r"^([a-z.]+)=", SETTINGS.read_text(), flags=re.MULTILINE)


def test_the_chart_sets_what_the_script_reads_and_the_integration_tests_set_the_same() -> None:
    read = set(re.findall(r"\$\{?((?:POD|KAFKA)_[A-Z_]+)", SCRIPT.read_text()))
    rendered = set(re.findall(r"- name: ([A-Z_]+)$", STATEFULSET.read_text(), flags=re.MULTILINE))

    assert read == rendered
    assert set(node_environment("kafka-0", "localhost", "", count=1)) == rendered


def test_no_setting_is_given_twice() -> None:
    by_script = re.findall(r"^([a-z.]+)=.*\$", SCRIPT.read_text(), flags=re.MULTILINE)

    both = settings() + by_script
    assert len(by_script) == 11
    assert sorted(both) == sorted(set(both))


def test_a_closed_segment_is_deleted_soon_after_the_retention() -> None:
    text = SETTINGS.read_text()
    retention = int(re.findall(r"^log.retention.hours=(\d+)$", text, flags=re.MULTILINE)[0])
    segment = int(re.findall(r"^log.roll.hours=(\d+)$", text, flags=re.MULTILINE)[0])

    # R12: processed ids are kept for 10 days, longer than any message can be read again.
    assert retention == 72
    assert retention + segment < 10 * 24
