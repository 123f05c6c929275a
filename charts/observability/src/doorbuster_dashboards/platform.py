"""The dashboard of the platform: orders, API, catalogue, coupons, outbox and sagas, stores, and what is alerted."""

from doorbuster_dashboards import alerts
from doorbuster_dashboards.api import API
from doorbuster_dashboards.catalogue import CATALOGUE
from doorbuster_dashboards.coupons import COUPONS
from doorbuster_dashboards.inside import INSIDE
from doorbuster_dashboards.panels import Kind, Query, Section, Unit, View

NOW = Section(
    title="Now",
    views=(
        View(
            title="Orders accepted",
            description="Orders that were answered with 202 for the first time, a second.",
            queries=(Query(expression="sum(rate(orders_accepted_total[$__rate_interval]))"),),
            unit=Unit.PER_SECOND,
            kind=Kind.NUMBER,
            width=4,
        ),
        View(
            title="Sagas open",
            description="Orders that are not final and compensated.",
            queries=(Query(expression='max(sagas_open{component="watch"})'),),
            kind=Kind.NUMBER,
            width=4,
        ),
        View(
            title="Invariants broken",
            description="Rows that break an invariant of the books; must be 0.",
            queries=(Query(expression='sum(max by (invariant) (audit_breaches{component="audit"}))'),),
            limits=alerts.INVARIANTS,
            kind=Kind.NUMBER,
            width=4,
        ),
        View(
            title="Not compensated",
            description="Failed orders that are not compensated after 60 seconds; must be 0.",
            queries=(Query(expression='max(sagas_uncompensated{component="watch"})'),),
            limits=alerts.UNCOMPENSATED,
            kind=Kind.NUMBER,
            width=4,
        ),
        View(
            title="Products",
            description="Products in the catalogue, and how many there must be at least.",
            queries=(
                Query(expression="max(catalogue_products)", legend="products"),
                Query(expression='max(catalogue_products_minimum{component="watch"})', legend="at least"),
            ),
            limits=alerts.CATALOGUE,
            kind=Kind.NUMBER,
            width=4,
        ),
        View(
            title="Processes scraped",
            description="Processes that Prometheus reads, of all that it should. A process that isn't read is unknown.",
            queries=(
                Query(expression='sum(up{job="pods"})', legend="read"),
                Query(expression='count(up{job="pods"})', legend="all"),
            ),
            limits=alerts.MISSING,
            kind=Kind.NUMBER,
            width=4,
        ),
        View(
            title="Alerts that fire",
            description="What Prometheus tells Alertmanager at this moment.",
            queries=(Query(expression='ALERTS{alertstate="firing"}'),),
            kind=Kind.TABLE,
            width=16,
        ),
        View(
            title="Restarts",
            description="How often a process of a component ended and was started again, within 30 minutes.",
            queries=(
                Query(
                    expression="max by (component) (changes(process_start_time_seconds[30m])) > 0",
                    legend="{{component}}",
                ),
            ),
            limits=alerts.RESTARTS,
        ),
    ),
)

SAGAS = Section(
    title="Outbox, sagas and deliveries",
    views=(
        View(
            title="Outbox, oldest message",
            description="Age of the oldest message that waits to be published. At 60 s new orders are refused.",
            queries=(Query(expression='max(outbox_oldest_age_seconds{component="relay"})', legend="age"),),
            unit=Unit.SECONDS,
            limits=alerts.OUTBOX_AGE,
        ),
        View(
            title="Outbox, messages",
            description="Messages that wait to be published. At 20,000 new orders are refused.",
            queries=(Query(expression='max(outbox_rows{component="relay"})', legend="wait"),),
            limits=alerts.PRIMARY,
        ),
        View(
            title="Published",
            description="Messages a second that Kafka acknowledged, by topic, and those that it did not.",
            queries=(
                Query(expression="sum by (topic) (rate(outbox_published_total[$__rate_interval]))", legend="{{topic}}"),
                Query(
                    expression="sum by (topic) (rate(outbox_failures_total[$__rate_interval]))",
                    legend="{{topic}} not acknowledged",
                ),
            ),
            unit=Unit.PER_SECOND,
            limits=alerts.OUTBOX_FAILURES,
        ),
        View(
            title="Sagas",
            description="Open sagas, and overdue ones whose message is still ahead of its group.",
            queries=(
                Query(expression='max(sagas_open{component="watch"})', legend="open"),
                Query(expression='max(sagas_queued{component="watch"})', legend="overdue, message in the queue"),
                Query(expression='max(sagas_uncompensated{component="watch"})', legend="not compensated"),
            ),
        ),
        View(
            title="Oldest saga",
            description="Age of the oldest open saga. At 900 s the watch cancels an order that is PENDING.",
            queries=(Query(expression='max(saga_oldest_age_seconds{component="watch"})', legend="age"),),
            unit=Unit.SECONDS,
        ),
        View(
            title="Driven on by the watch",
            description="Lost steps that were sent again, and orders that were cancelled, a second.",
            queries=(
                Query(
                    expression="sum by (step) (rate(saga_redrives_total[$__rate_interval]))", legend="again: {{step}}"
                ),
                Query(
                    expression="sum by (cause) (rate(saga_cancels_total[$__rate_interval]))",
                    legend="cancelled: {{cause}}",
                ),
            ),
            unit=Unit.PER_SECOND,
        ),
        View(
            title="Deliveries to the partner",
            description="Attempts a second by result.",
            queries=(
                Query(expression="sum by (result) (rate(deliveries_total[$__rate_interval]))", legend="{{result}}"),
            ),
            limits=alerts.PARKED,
            unit=Unit.PER_SECOND,
            width=12,
        ),
        View(
            title="Deliveries due",
            description="Paid orders that the partner should know of and doesn't yet.",
            queries=(Query(expression='max(deliveries_due{component="consumer-external-data"})', legend="due"),),
            width=12,
        ),
    ),
)

STORES = Section(
    title="MySQL and Kafka",
    views=(
        View(
            title="Transactions",
            description="Transactions a second by how they ended.",
            queries=(
                Query(
                    expression="sum by (outcome) (rate(database_transactions_total[$__rate_interval]))",
                    legend="{{outcome}}",
                ),
            ),
            unit=Unit.PER_SECOND,
        ),
        View(
            title="Conflicts",
            description="Deadlocks (1213) and lock time-outs (1205) a second; each is tried again.",
            queries=(
                Query(
                    expression="sum by (error) (rate(database_conflicts_total[$__rate_interval]))", legend="{{error}}"
                ),
            ),
            unit=Unit.PER_SECOND,
        ),
        View(
            title="Primary looked for",
            description="How often processes looked for the primary anew within 5 minutes: a failover is a peak.",
            queries=(
                Query(
                    expression="sum by (component) (increase(database_primary_changes_total[5m]))",
                    legend="{{component}}",
                ),
            ),
            limits=alerts.PRIMARY,
        ),
        View(
            title="Kafka nodes",
            description="Nodes that answer.",
            queries=(Query(expression="max(kafka_brokers)", legend="nodes"),),
        ),
        View(
            title="Under-replicated partitions",
            description="Partitions with a replica that is not in sync; 0 but for restarts.",
            queries=(
                Query(
                    expression="sum(max by (topic, partition) (kafka_topic_partition_under_replicated_partition))",
                    legend="partitions",
                ),
            ),
            limits=alerts.REPLICATION,
        ),
        View(
            title="Records written",
            description="Records a second by topic, as Kafka counts them.",
            queries=(
                Query(
                    expression=(
                        "sum by (topic) (max by (topic, partition)"
                        " (rate(kafka_topic_partition_current_offset[$__rate_interval])))"
                    ),
                    legend="{{topic}}",
                ),
            ),
            unit=Unit.PER_SECOND,
        ),
    ),
)

SECTIONS = (NOW, API, CATALOGUE, COUPONS, SAGAS, STORES, INSIDE)
