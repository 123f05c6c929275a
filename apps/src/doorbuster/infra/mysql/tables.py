"""Tables that no business module owns: outbox, processed messages, idempotency keys, dead letters, checkpoints."""

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

# R7: a row for each message that a group gave up, written in the transaction that skips it, beside the outbox's row
# for `<topic>.dlt`. A person's decision changes the row, so it counts once. `headers` are those of the dead letter in
# Kafka. Kept for as long as processed ids (R12). In the order of R8 it stands first: who decides locks existing rows
# here before anything else, and a batch only inserts new ones.
dead_letters = Table(
    "dead_letters",
    METADATA,
    Column("id", Big, primary_key=True, autoincrement=True),
    Column("source_topic", String(64), nullable=False),
    Column("source_partition", Integer, nullable=False),
    Column("source_offset", Big, nullable=False),
    Column("consumer_group", String(64), nullable=False),
    Column("message_key", VARBINARY(64), nullable=False),
    Column("payload", MEDIUMBLOB, nullable=False),
    Column("headers", JSON, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("state", String(16), nullable=False),
    Column("decided_at", Instant, nullable=True),
    Column("reason", String(255), nullable=True),
    Column("replays", Integer, nullable=False),
    Index(None, "state", "id"),
    Index(None, "created_at"),
    **OPTIONS,
)

# R13: items 1 to `done` of the part were written; the row is changed in the transaction that writes them.
seed_checkpoints = Table(
    "seed_checkpoints",
    METADATA,
    Column("part", String(64), primary_key=True),
    Column("done", Big, nullable=False),
    Column("updated_at", Instant, nullable=False),
    **OPTIONS,
)
