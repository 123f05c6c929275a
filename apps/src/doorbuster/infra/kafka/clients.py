"""What our Kafka clients have in common: how they find the cluster, and how soon they notice that it is gone."""

from typing import Any

import structlog
from confluent_kafka import KafkaError
from confluent_kafka.admin import AdminClient

from doorbuster.settings import KafkaSettings

# One request of an administration client; the default would be a minute.
ADMIN_REQUEST_SECONDS = 4.0

log = structlog.get_logger()


def client_settings(settings: KafkaSettings) -> dict[str, Any]:
    """Return the settings that every client has; values are whatever librdkafka takes."""
    return {
        "bootstrap.servers": settings.servers,
        "error_cb": log_client_error,
        # librdkafka writes lines that are no JSON to standard error; `error_cb` says the same as an event.
        "log_level": 0,
        "socket.nagle.disable": True,
        "socket.connection.setup.timeout.ms": 3_000,
        # A broker that comes back is found within a second.
        "reconnect.backoff.ms": 100,
        "reconnect.backoff.max.ms": 1_000,
        "topic.metadata.refresh.interval.ms": 10_000,
    }


def admin_client(settings: KafkaSettings) -> AdminClient:
    """Return an administration client; it connects by itself, and its futures are settled by its own thread."""
    return AdminClient({**client_settings(settings), "socket.timeout.ms": int(ADMIN_REQUEST_SECONDS * 1000)})


def log_client_error(error: KafkaError) -> None:
    """Log what a client could not do; it tries again by itself."""
    log.warning("kafka_client_error", error=error.name(), reason=error.str(), fatal=error.fatal())
