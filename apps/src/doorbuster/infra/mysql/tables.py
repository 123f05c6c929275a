"""Tables that no business module owns: the outbox, processed messages, idempotency keys."""

from sqlalchemy import BINARY, JSON, VARBINARY, Column, Index, Integer, SmallInteger, String, Table
from sqlalchemy.dialects.mysql import MEDIUMBLOB

from doorbuster.infra.mysql.schema import METADATA, OPTIONS, Big, Instant, UuidBytes

# R9: the relay reads what isn't published in the order of `seq`; the watch looks for an order's messages by key and
# type. `topic` is a dead-letter topic for what can never succeed; `headers` then say where it came from.
outbox = Table(
    "outbox",
    METADATA,
    Column("seq", Big, primary_key=True, autoincrement=True),
    Column("topic", String(64), nullable=False),
    Column("message_key", VARBINARY(64), nullable=False),
    Column("message_type", String(64), nullable=False),
    Column("payload", MEDIUMBLOB, nullable=False),
    Column("headers", JSON(none_as_null=True), nullable=True),
    Column("created_at", Instant, nullable=False),
    Column("published_at", Instant, nullable=True),
    Column("kafka_partition", Integer, nullable=True),
    Column("kafka_offset", Big, nullable=True),
    Index(None, "published_at", "seq"),
    Index(None, "message_key", "message_type"),
    **OPTIONS,
)

# R12: kept for 10 days, deleted in chunks by age.
processed_messages = Table(
    "processed_messages",
    METADATA,
    Column("consumer_group", String(64), primary_key=True),
    Column("message_id", UuidBytes, primary_key=True),
    Column("processed_at", Instant, nullable=False),
    Index(None, "processed_at"),
    **OPTIONS,
)

# R1: `id` is the SHA-256 of user, route template and the client's key; `attempt` tells who inserted the row. Status and
# answer are set in the transaction that inserts it. Kept for 24 hours.
idempotency_keys = Table(
    "idempotency_keys",
    METADATA,
    Column("id", BINARY(32), primary_key=True),
    Column("attempt", UuidBytes, nullable=False),
    Column("body_hash", BINARY(32), nullable=False),
    Column("status", SmallInteger, nullable=True),
    Column("answer", MEDIUMBLOB, nullable=True),
    Column("created_at", Instant, nullable=False),
    Index(None, "created_at"),
    **OPTIONS,
)
