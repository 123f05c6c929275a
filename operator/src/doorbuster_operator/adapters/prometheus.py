"""Reads a consumer group's raw samples from Prometheus, with their own time stamps (P17)."""

import re
from collections.abc import Sequence

import requests
from prometheus_api_client import PrometheusConnect

from doorbuster_operator.adapters.prometheus_series import group_samples_in
from doorbuster_operator.adapters.prometheus_transport import BoundedAdapter
from doorbuster_operator.model.samples import GroupSamples
from doorbuster_operator.ports import MetricsUnavailable

HISTORY = "300s"
METRICS = (
    "kafka_topic_partition_current_offset",
    "kafka_topic_partition_oldest_offset",
    "kafka_consumergroup_current_offset",
    "kafka_consumergroup_members",
    "kafka_exporter_sample_age_seconds",
    "consumer_batches_total",
    "consumer_records_total",
    "consumer_busy_seconds_total",
    "consumer_batch_limit",
    "consumer_rebalances_total",
    "consumer_assigned",
)
# Those of RE2, which Prometheus matches with.
_SPECIAL = re.compile(r"[\\.+*?()|\[\]{}^$]")


class PrometheusMetrics:
    """The metrics of one namespace. May be asked from several threads."""

    def __init__(self, url: str, *, namespace: str, request_seconds: float) -> None:
        """Connect when something is asked.

        Args:
            url: address of Prometheus.
            namespace: whose series count.
            request_seconds: longest time of one request.
        """
        self._namespace = namespace
        session = requests.Session()
        # A proxy of the environment is for the world outside; it would also be asked for our own Services.
        session.trust_env = False
        # Packing costs both sides more than some 100 KB cost the network of a cluster.
        session.headers["Accept-Encoding"] = "identity"
        self._client = PrometheusConnect(url, session=session)
        # The client has put its own there, which tries three times.
        session.mount(url, BoundedAdapter(seconds=request_seconds))

    def group_samples(self, group: str, topics: Sequence[str]) -> GroupSamples:
        """Return the last five minutes of a consumer group.

        Raises:
            MetricsUnavailable: it isn't known.
        """
        try:
            found = self._client.custom_query(query_for(group, topics, namespace=self._namespace))
            return group_samples_in(found)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise MetricsUnavailable("Prometheus' answer isn't what an answer to a query looks like.") from error

    def close(self) -> None:
        """Close all connections."""
        self._client.close()


def query_for(group: str, topics: Sequence[str], *, namespace: str) -> str:
    """Return the one query that has everything about a group, as of one moment.

    A label that a metric doesn't have counts as empty. So each matcher also takes the empty value: offsets of a
    partition have no group, members have no topic, consumers call the group by another label than the lag exporter.
    """
    matchers = {
        "__name__": "|".join(METRICS),
        "topic": "|".join((*map(_literally, topics), "")),
        "consumergroup": f"{_literally(group)}|",
        "group": f"{_literally(group)}|",
    }
    parts = [f'{label}=~"{_quoted(pattern)}"' for label, pattern in matchers.items()]
    return f'{{{",".join(parts)},namespace="{_quoted(namespace)}"}}[{HISTORY}]'


def _literally(text: str) -> str:
    """Return the pattern that matches just this text."""
    return _SPECIAL.sub(lambda found: f"\\{found.group()}", text)


def _quoted(text: str) -> str:
    """Return the text as it stands between double quotes in PromQL."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
