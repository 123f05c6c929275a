"""The registry of the operator's metrics: every one is declared here and nowhere else.

Values that aren't known are NaN, never 0. Labels have few values: a scaler's name, and words of closed sets.
"""

from prometheus_client import Counter, Gauge, Histogram

TICK_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

# Scalers
SCALER_REPLICAS = Gauge("scaler_replicas", "Replicas that the target asks for", ("scaler",))
SCALER_DESIRED_REPLICAS = Gauge("scaler_desired_replicas", "Replicas that the target should ask for", ("scaler",))
SCALER_NEEDED_REPLICAS = Gauge(
    "scaler_needed_replicas", "Replicas that the model asks for, before windows and bounds", ("scaler",)
)
SCALER_LAG_RECORDS = Gauge("scaler_lag_records", "Lag of the consumer group, in records", ("scaler",))
SCALER_OLDEST_RECORD_AGE_SECONDS = Gauge(
    "scaler_oldest_record_age_seconds", "Age of the oldest record that waits", ("scaler",)
)
SCALER_ARRIVAL_RECORDS_PER_SECOND = Gauge(
    "scaler_arrival_records_per_second", "Records that arrive in the group's topics", ("scaler",)
)
SCALER_CAPACITY_RECORDS_PER_SECOND = Gauge(
    "scaler_capacity_records_per_second", "Records that one replica can work off", ("scaler",)
)
SCALER_DECISIONS = Counter("scaler_decisions_total", "Ticks by the reason of what was decided", ("scaler", "reason"))
SCALER_CONDITION = Gauge("scaler_condition", "1 for each condition that is true, else 0", ("scaler", "condition"))

# The operator itself
OPERATOR_TICK_SECONDS = Histogram("operator_tick_seconds", "Time of a tick over all scalers", buckets=TICK_SECONDS)
OPERATOR_LAST_TICK = Gauge("operator_last_tick_timestamp_seconds", "When a tick ended last, in seconds since 1970")
OPERATOR_ERRORS = Counter("operator_errors_total", "Calls that failed, by what was to be done", ("call",))
OPERATOR_LEADER = Gauge("operator_leader", "1 while this process holds the Lease and acts, else 0")
