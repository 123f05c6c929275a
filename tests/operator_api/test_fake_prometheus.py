"""The stand-in for Prometheus selects as a real one does, and refuses what it doesn't understand."""

import time

import pytest

from tests.operator_api.fake_prometheus import FakePrometheus, parsed
from tests.operator_api.loads import Load

pytestmark = pytest.mark.operator_api

LOAD = Load(namespace="n", group="g", topic="t", rate=12, lag=60, partitions=2)
LABELS = {"__name__": "kafka_consumergroup_lag", "topic": "order-created", "partition": "3"}


@pytest.mark.parametrize(
    ("query", "selected"),
    [
        ("kafka_consumergroup_lag", True),
        ("kafka_consumergroup_la", False),
        ('kafka_consumergroup_lag{topic="order-created"}', True),
        ('kafka_consumergroup_lag{topic="order-created", partition!="3"}', False),
        ('{__name__=~"kafka_.*", topic=~"order-created|other",}', True),
        ('kafka_consumergroup_lag{topic=~"order"}', False),
        ('kafka_consumergroup_lag{topic!~"order"}', True),
        ('kafka_consumergroup_lag{pod=""}', True),
    ],
)
def test_a_selector_selects(query: str, *, selected: bool) -> None:
    matches, seconds = parsed(query)

    assert (matches(LABELS), seconds) == (selected, None)


def test_a_range_is_in_seconds() -> None:
    assert parsed('up{job="pods"}[300s]')[1] == 300


@pytest.mark.parametrize("query", ["rate(up[300s])", "up{job=pods}", "up[5m] offset 1m", ""])
def test_anything_else_is_refused(query: str) -> None:
    with pytest.raises(ValueError, match="not a"):
        parsed(query)


def test_a_range_has_samples_with_their_own_times() -> None:
    prometheus = FakePrometheus(address="", series=LOAD.series())

    _, document = prometheus.answer("kafka_topic_partition_current_offset[300s]")

    ranges = [found["values"] for found in document["data"]["result"]]
    assert len(ranges) == 2
    (before, low), (after, high) = ranges[0][-2:]
    assert after - before == 5
    assert float(high) - float(low) == pytest.approx(30)
    assert time.time() - after <= 6
    assert len(ranges[0]) == 60
