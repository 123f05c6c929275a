"""The dashboard of the consumers: how far behind each group is, what it does about it, and what the operator thinks."""

from doorbuster_dashboards import alerts
from doorbuster_dashboards.panels import Kind, Query, Section, Unit, View

_GROUP = 'group=~"$group"'
_CONSUMERGROUP = 'consumergroup=~"$group"'
_SCALER = 'scaler=~"$scaler"'
# Replicas count once a process that was scraped, whatever the Deployment asks for.
_PROCESSES = f"count by (group) (consumer_batch_limit{{{_GROUP}}})"


def _rate(metric: str, by: str) -> str:
    return f"sum by ({by}) (rate({metric}{{{_GROUP}}}[$__rate_interval]))"


def _scaler(metric: str) -> str:
    return f"max by (scaler) ({metric}{{{_SCALER}}})"


BEHIND = Section(
    title="How far behind",
    views=(
        View(
            title="Lag",
            description="Records that a group has not committed yet.",
            queries=(
                Query(
                    expression=(
                        "sum by (consumergroup) (max by (consumergroup, topic, partition)"
                        f" (kafka_consumergroup_lag{{{_CONSUMERGROUP}}}))"
                    ),
                    legend="{{consumergroup}}",
                ),
            ),
            limits=alerts.LAG,
        ),
        View(
            title="Oldest record age",
            description="Age of the oldest record in hand. 10 s are promised. A dead consumer shows none.",
            queries=(
                Query(
                    expression=f"max by (group) (consumer_oldest_record_age_seconds{{{_GROUP}}})", legend="{{group}}"
                ),
            ),
            unit=Unit.SECONDS,
            limits=alerts.RECORD_AGE,
        ),
        View(
            title="Lag of each partition",
            description="One partition far above the others has a hot key, or is stuck. More replicas don't help it.",
            queries=(
                Query(
                    expression=(
                        f"max by (consumergroup, topic, partition) (kafka_consumergroup_lag{{{_CONSUMERGROUP}}}) > 0"
                    ),
                    legend="{{consumergroup}} {{topic}}/{{partition}}",
                ),
            ),
            limits=alerts.STUCK,
        ),
    ),
)

WORK = Section(
    title="Work",
    views=(
        View(
            title="Records",
            description="Records a second by result. Duplicates are normal after a rebalance.",
            queries=(
                Query(expression=_rate("consumer_records_total", "group, result"), legend="{{group}} {{result}}"),
            ),
            unit=Unit.PER_SECOND,
        ),
        View(
            title="Busy",
            description="Share of the time that a replica works on batches, on average over its group.",
            queries=(
                Query(expression=f"{_rate('consumer_busy_seconds_total', 'group')} / {_PROCESSES}", legend="{{group}}"),
            ),
            unit=Unit.SHARE,
        ),
        View(
            title="Batch time, p95",
            description="95 % of the batches take at most this long, from their first record to the commit.",
            queries=(
                Query(
                    expression=f"histogram_quantile(0.95, {_rate('consumer_batch_seconds_bucket', 'group, le')})",
                    legend="{{group}}",
                ),
            ),
            unit=Unit.SECONDS,
        ),
        View(
            title="Batch size",
            description="Records in a batch on average, and the most it may have. At the limit there is no reserve.",
            queries=(
                Query(
                    expression=(
                        f"{_rate('consumer_records_total', 'group')} / {_rate('consumer_batches_total', 'group')}"
                    ),
                    legend="{{group}}",
                ),
                Query(expression=f"max by (group) (consumer_batch_limit{{{_GROUP}}})", legend="{{group}} limit"),
            ),
        ),
        View(
            title="Dead letters",
            description="Records within 10 minutes that can never succeed and went to a dead-letter topic.",
            queries=(
                Query(
                    expression=(
                        f'sum by (group) (increase(consumer_records_total{{result="dead-letter",{_GROUP}}}[10m]))'
                    ),
                    legend="{{group}}",
                ),
            ),
            limits=alerts.DEAD_LETTERS,
        ),
        View(
            title="Fault delay",
            description="Time that each record is held up on purpose. 0 outside of demonstrations.",
            queries=(Query(expression=f"max by (group) (fault_delay_seconds{{{_GROUP}}})", legend="{{group}}"),),
            unit=Unit.SECONDS,
            limits=alerts.FAULT,
        ),
    ),
)

MEMBERSHIP = Section(
    title="Retries and partitions",
    views=(
        View(
            title="Retries and errors",
            description="Batches a second that were tried again, by cause, and errors that Kafka told.",
            queries=(
                Query(expression=_rate("consumer_retries_total", "group, cause"), legend="{{group}} {{cause}}"),
                Query(expression=_rate("consumer_errors_total", "group, error"), legend="{{group}} {{error}}"),
            ),
            unit=Unit.PER_SECOND,
        ),
        View(
            title="Rebalances",
            description="Assignments and revocations within a minute. Some at each change of replicas, else none.",
            queries=(
                Query(
                    expression=f"sum by (group, kind) (increase(consumer_rebalances_total{{{_GROUP}}}[1m]))",
                    legend="{{group}} {{kind}}",
                ),
            ),
        ),
        View(
            title="Assigned partitions",
            description="Partitions that each replica has. Equal numbers are good; 0 means that a replica is idle.",
            queries=(
                Query(
                    expression=(
                        f"count by (group, pod) (consumer_assigned{{{_GROUP}}} == 1)"
                        f" or 0 * count by (group, pod) (consumer_batch_limit{{{_GROUP}}})"
                    ),
                    legend="{{pod}}",
                ),
            ),
            kind=Kind.STACKED,
        ),
    ),
)

SCALING = Section(
    title="Scaling",
    views=(
        View(
            title="Replicas",
            description="Replicas that there are, and that the operator ordered and holds for needed.",
            queries=(
                Query(expression=_scaler("scaler_replicas"), legend="{{scaler}} asked for"),
                Query(expression=_scaler("scaler_desired_replicas"), legend="{{scaler}} desired"),
                Query(expression=_scaler("scaler_needed_replicas"), legend="{{scaler}} needed"),
                Query(expression=_PROCESSES, legend="{{group}} running"),
            ),
            limits=alerts.SCALER_LIMIT,
        ),
        View(
            title="Arrivals and capacity",
            description="Records a second that arrive, and that one replica can work off as far as is known.",
            queries=(
                Query(expression=_scaler("scaler_arrival_records_per_second"), legend="{{scaler}} arrive"),
                Query(expression=_scaler("scaler_capacity_records_per_second"), legend="{{scaler}} one replica"),
            ),
            unit=Unit.PER_SECOND,
        ),
        View(
            title="Decisions",
            description="Decisions within a minute by reason.",
            queries=(
                Query(
                    expression=f"sum by (scaler, reason) (increase(scaler_decisions_total{{{_SCALER}}}[1m]))",
                    legend="{{scaler}} {{reason}}",
                ),
            ),
            kind=Kind.STACKED,
        ),
        View(
            title="What the operator sees",
            description="Lag in records, as the operator reads it.",
            queries=(Query(expression=_scaler("scaler_lag_records"), legend="{{scaler}}"),),
        ),
        View(
            title="Oldest record, as the operator sees it",
            description="Age of the oldest record that waits. More than 10 s is what it scales out for.",
            queries=(Query(expression=_scaler("scaler_oldest_record_age_seconds"), legend="{{scaler}}"),),
            unit=Unit.SECONDS,
        ),
        View(
            title="Conditions",
            description="Conditions that are true, one line each.",
            queries=(
                Query(
                    expression=f"max by (scaler, condition) (scaler_condition{{{_SCALER}}}) == 1",
                    legend="{{scaler}} {{condition}}",
                ),
            ),
            limits=alerts.SCALER_BLIND,
            kind=Kind.STACKED,
        ),
        View(
            title="Operator, last look",
            description="Seconds since the operator last looked at its scalers.",
            queries=(Query(expression="time() - max(operator_last_tick_timestamp_seconds)", legend="ago"),),
            unit=Unit.SECONDS,
            limits=alerts.LAST_TICK,
        ),
        View(
            title="Operator, time of a look",
            description="95 % of the looks at all scalers take at most this long.",
            queries=(
                Query(
                    expression="histogram_quantile(0.95, sum by (le) (rate(operator_tick_seconds_bucket[5m])))",
                    legend="p95",
                ),
            ),
            unit=Unit.SECONDS,
        ),
        View(
            title="Operator, errors",
            description="Calls that failed within 5 minutes; and 1 while a process holds the Lease.",
            queries=(
                Query(expression="sum by (call) (increase(operator_errors_total[5m]))", legend="{{call}}"),
                Query(expression="max(operator_leader)", legend="leader"),
            ),
        ),
    ),
)

SECTIONS = (BEHIND, WORK, MEMBERSHIP, SCALING)
