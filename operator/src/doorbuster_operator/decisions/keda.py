"""What KEDA's Kafka scaler would ask for, so that a person can compare."""

import math

# KEDA's default; the 5 of its documentation's example is no default (kedacore/keda, pkg/scalers/kafka_scaler.go).
LAG_THRESHOLD = 10


def keda_replicas(lag: float, *, partitions: int, minimum: int, maximum: int) -> int:
    """Return the replicas that KEDA's defaults lead to in the long run: lag ÷ 10, no more than partitions.

    The HPA's tolerance and windows are left out. Work of any amount is one replica at least.
    """
    wanted = math.ceil(lag / LAG_THRESHOLD)
    return max(minimum, min(wanted, partitions, maximum))
