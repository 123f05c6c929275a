"""The registry of metrics: every metric of the applications is declared here and nowhere else.

Labels have few values: never an id of a user, an order or a product.
"""

from collections.abc import Mapping
from types import MappingProxyType

from prometheus_client import Counter, Gauge, Histogram

# What a gauge says that only one process measures, in all others, and in that one until it has.
NOT_KNOWN = float("nan")

LATENCY_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)

# HTTP
HTTP_REQUEST_SECONDS = Histogram(
    "http_server_request_duration_seconds",
    "Time to answer, by route template, method and class of status",
    ("route", "method", "status_class"),
    buckets=LATENCY_SECONDS,
)
BUSINESS_REFUSALS = Counter("business_refusals_total", "Business answers that are no errors (409)", ("code",))
ORDERS_ACCEPTED = Counter("orders_accepted_total", "Orders answered with 202 for the first time")
COUPON_ISSUES = Counter(
    "coupon_issues_total", "Answers to users who want a coupon: issued, repeated, or why not", ("result",)
)
COUPON_GATE_ANSWERS = Counter(
    "coupon_gate_answers_total", "Calls of a coupon's gate by its state; all but open go straight to MySQL", ("state",)
)
COUPON_GATE_REPAIRS = Counter(
    "coupon_gate_repairs_total", "Claims that were settled, and gates that were mended or made anew", ("event",)
)
COALESCER_WAITING = Gauge("coalescer_waiting", "Commands that wait for their batch", ("use_case",))
COALESCER_BATCH_SIZE = Histogram(
    "coalescer_batch_size", "Commands in a batch", ("use_case",), buckets=(1, 2, 5, 10, 20, 50, 100, 200)
)
ORDER_STREAMS = Gauge("order_streams", "Open streams of orders")
ORDER_STREAMS_ENDED = Counter("order_streams_ended_total", "Streams of orders that ended, by reason", ("reason",))

# Database
DATABASE_TRANSACTIONS = Counter("database_transactions_total", "Transactions by how they ended", ("outcome",))
DATABASE_CONFLICTS = Counter("database_conflicts_total", "Deadlocks (1213) and lock time-outs (1205)", ("error",))
DATABASE_PRIMARY_CHANGES = Counter("database_primary_changes_total", "How often the primary was looked for anew")

# Consumers
CONSUMER_BATCH_SECONDS = Histogram(
    "consumer_batch_seconds", "Time of a batch from its first record to its commit", ("group",), buckets=LATENCY_SECONDS
)
CONSUMER_BATCHES = Counter("consumer_batches_total", "Batches that were committed", ("group",))
CONSUMER_RECORDS = Counter("consumer_records_total", "Records by result", ("group", "result"))
CONSUMER_BUSY_SECONDS = Counter(
    "consumer_busy_seconds_total", "Time spent on the batches that were committed", ("group",)
)
CONSUMER_BATCH_LIMIT = Gauge("consumer_batch_limit", "Most records in a batch", ("group",))
CONSUMER_OLDEST_RECORD_AGE_SECONDS = Gauge(
    "consumer_oldest_record_age_seconds", "Age of the oldest record in hand; 0 when there is none", ("group",)
)
CONSUMER_ASSIGNED = Gauge("consumer_assigned", "1 for each partition that is assigned", ("group", "topic", "partition"))
CONSUMER_REBALANCES = Counter("consumer_rebalances_total", "Assignments and revocations", ("group", "kind"))
CONSUMER_RETRIES = Counter("consumer_retries_total", "Batches that were tried again, by cause", ("group", "cause"))
CONSUMER_ERRORS = Counter(
    "consumer_errors_total", "Errors that Kafka told the consumer, by Kafka's name for them", ("group", "error")
)

FAULT_DELAY_SECONDS = Gauge(
    "fault_delay_seconds", "Time that each record is held up on purpose; 0 when the fault is off", ("group",)
)

FAULT_ACTIVE = Gauge(
    "fault_active", "1 while a fault is switched on in this process on purpose; 0 when it is off", ("fault",)
)

# Servers that may be gone
BREAKER_OPEN = Gauge(
    "breaker_open", "1 while calls are refused because the last ones failed, but for one that tries", ("dependency",)
)

# Outbox
OUTBOX_ROWS = Gauge("outbox_rows", "Messages that wait to be published")
OUTBOX_OLDEST_AGE_SECONDS = Gauge("outbox_oldest_age_seconds", "Age of the oldest message that waits; 0 when none does")
OUTBOX_PUBLISHED = Counter("outbox_published_total", "Messages that Kafka acknowledged", ("topic",))
OUTBOX_FAILURES = Counter("outbox_failures_total", "Messages that Kafka did not acknowledge in time", ("topic",))

# Kafka, in the names and labels of kafka_exporter (P14). A collector makes the samples from what it has read last, so
# these are no objects of the client library: name → what it says, and its labels.
KAFKA_GAUGES: Mapping[str, tuple[str, tuple[str, ...]]] = MappingProxyType(
    {
        "kafka_brokers": ("Brokers of the cluster", ()),
        "kafka_topic_partitions": ("Partitions of the topic", ("topic",)),
        "kafka_topic_partition_current_offset": ("Log end: the next offset", ("topic", "partition")),
        "kafka_topic_partition_oldest_offset": ("The oldest offset that is kept", ("topic", "partition")),
        "kafka_topic_partition_leader": ("The leading broker", ("topic", "partition")),
        "kafka_topic_partition_replicas": ("Replicas of the partition", ("topic", "partition")),
        "kafka_topic_partition_in_sync_replica": ("Replicas that are in sync", ("topic", "partition")),
        "kafka_topic_partition_under_replicated_partition": (
            "1 if a replica is not in sync",
            ("topic", "partition"),
        ),
        "kafka_consumergroup_members": ("Members of the group", ("consumergroup",)),
        "kafka_consumergroup_current_offset": ("Committed offset", ("consumergroup", "topic", "partition")),
        "kafka_consumergroup_current_offset_sum": ("Committed offsets of the topic", ("consumergroup", "topic")),
        "kafka_consumergroup_lag": (
            "Log end minus committed offset, in records",
            ("consumergroup", "topic", "partition"),
        ),
        "kafka_consumergroup_lag_sum": ("Lag of all partitions of the topic, in records", ("consumergroup", "topic")),
        "kafka_exporter_sample_age_seconds": ("How long ago the samples beside this one were read", ()),
    }
)
KAFKA_EXPORTER_LAST_SUCCESS = Gauge(
    "kafka_exporter_last_success_timestamp", "When everything was read from Kafka last, in seconds since 1970; 0: never"
)
KAFKA_EXPORTER_FAILURES = Counter("kafka_exporter_failures_total", "Rounds in which something could not be read")

# Jobs of which one replica works and the others stand by
LOCK_HELD = Gauge("lock_held", "1 while this process holds the lock and works; 0 while it stands by", ("lock",))

# Saga
SAGAS_OPEN = Gauge("sagas_open", "Sagas that are not final and compensated")
SAGA_OLDEST_AGE_SECONDS = Gauge("saga_oldest_age_seconds", "Age of the oldest open saga; 0 when none is open")
SAGAS_QUEUED = Gauge("sagas_queued", "Overdue sagas whose message is still ahead of its group")
SAGA_REDRIVES = Counter("saga_redrives_total", "Lost steps that were sent again", ("step",))
SAGA_CANCELS = Counter("saga_cancels_total", "Orders cancelled by the watch", ("cause",))
SAGAS_UNCOMPENSATED = Gauge("sagas_uncompensated", "Failed orders not compensated after 60 seconds; must stay 0")

# The shop's data
CATALOGUE_PRODUCTS = Gauge(
    "catalogue_products", "Products in the catalogue; the count stops at 1,000, or at the minimum if that is more"
)
CATALOGUE_PRODUCTS_MINIMUM = Gauge(
    "catalogue_products_minimum", "With fewer products than this the catalogue counts as empty"
)
AUDIT_BREACHES = Gauge("audit_breaches", "Rows that break an invariant; must stay 0", ("invariant",))
AUDIT_IN_FLIGHT = Gauge("audit_in_flight", "Rows that the auditor saw under way", ("kind",))
AUDIT_LAST_SUCCESS = Gauge(
    "audit_last_success_timestamp", "The moment that the auditor saw last, in seconds since 1970"
)
AUDIT_SECONDS = Gauge("audit_seconds", "How long the auditor's last look took", ("scan",))

# 0 would be an answer, and a wrong one.
for _gauge in (
    SAGAS_OPEN,
    SAGA_OLDEST_AGE_SECONDS,
    SAGAS_QUEUED,
    SAGAS_UNCOMPENSATED,
    CATALOGUE_PRODUCTS,
    AUDIT_LAST_SUCCESS,
):
    _gauge.set(NOT_KNOWN)

# Caches of the catalogue, and the sold-out hint
CACHE_READS = Counter(
    "cache_reads_total", "Reads by level (process, redis, database) and what they found", ("level", "result")
)
CACHE_FILLS = Counter("cache_fills_total", "Copies that were offered to Redis, by what became of them", ("result",))
CACHE_DROPS = Counter("cache_drops_total", "Times that a process dropped copies, by cause", ("cause",))
CACHE_AWAY = Counter("cache_away_total", "Questions that Redis didn't answer, or wasn't asked", ("cache",))
CACHE_ENTRIES = Gauge("cache_entries", "Copies that the process holds")
CACHE_BYTES = Gauge("cache_bytes", "Bytes of the copies that the process holds")
ORDERS_SOLD_OUT = Counter("orders_sold_out_total", "Orders refused by the sold-out hint, before anything was written")

# Deliveries to the partner
DELIVERIES = Counter("deliveries_total", "Attempts to deliver by result", ("result",))
DELIVERIES_DUE = Gauge("deliveries_due", "Deliveries that are due")
