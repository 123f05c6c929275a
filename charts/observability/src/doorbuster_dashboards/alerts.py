"""The alerts that panels show a limit of, or lead to the runbook of. The limits are those of the alert rules."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """An alert of the rules.

    Attributes:
        name: the alert's, and its runbook's.
        area: the folder of its runbook.
        limit: the value beyond which it fires; None where a line would say nothing.
    """

    name: str
    area: str
    limit: float | None = None

    @property
    def runbook(self) -> str:
        """The path of its page within the repository."""
        return f"runbooks/{self.area}/{self.name}.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What is told about one measurement: at first, and when it is serious; either may be None."""

    warning: Alert | None = None
    critical: Alert | None = None

    @property
    def alerts(self) -> Sequence[Alert]:
        """Those that there are, the less severe first."""
        return tuple(alert for alert in (self.warning, self.critical) if alert is not None)


NO_LIMITS = Limits()

LAG = Limits(
    warning=Alert(name="ConsumerLagHigh", area="kafka", limit=1_000),
    critical=Alert(name="ConsumerLagCritical", area="kafka", limit=10_000),
)
RECORD_AGE = Limits(
    warning=Alert(name="OldestRecordTooOld", area="kafka", limit=10),
    critical=Alert(name="OldestRecordFarTooOld", area="kafka", limit=60),
)
STUCK = Limits(
    warning=Alert(name="PartitionStuck", area="kafka"),
    critical=Alert(name="ConsumerStuck", area="kafka"),
)
DEAD_LETTERS = Limits(warning=Alert(name="DeadLetters", area="kafka", limit=0))
FAULT = Limits(warning=Alert(name="FaultSwitchOn", area="apps", limit=0))
OUTBOX_AGE = Limits(
    warning=Alert(name="OutboxOld", area="apps", limit=5),
    critical=Alert(name="OutboxVeryOld", area="apps", limit=30),
)
OUTBOX_FAILURES = Limits(warning=Alert(name="OutboxPublishingFails", area="apps"))
API_LATENCY = Limits(
    warning=Alert(name="ApiSlow", area="apps", limit=0.1),
    critical=Alert(name="ApiVerySlow", area="apps", limit=0.5),
)
API_ERRORS = Limits(
    warning=Alert(name="ApiErrorsHigh", area="apps", limit=0.01),
    critical=Alert(name="ApiErrorsCritical", area="apps", limit=0.05),
)
CATALOGUE = Limits(critical=Alert(name="CatalogueEmpty", area="apps"))
INVARIANTS = Limits(critical=Alert(name="InvariantBroken", area="apps", limit=0))
AUDIT_AGE = Limits(warning=Alert(name="AuditStale", area="apps", limit=120))
UNCOMPENSATED = Limits(critical=Alert(name="SagasUncompensated", area="apps", limit=0))
PARKED = Limits(warning=Alert(name="DeliveriesParked", area="apps"))
PRIMARY = Limits(critical=Alert(name="PrimaryUnavailable", area="mysql"))
REPLICATION = Limits(warning=Alert(name="KafkaUnderReplicated", area="kafka", limit=0))
MISSING = Limits(critical=Alert(name="MetricsMissing", area="apps"))
RESTARTS = Limits(warning=Alert(name="ProcessRestarts", area="apps"))
SCALER_LIMIT = Limits(warning=Alert(name="ScalerAtItsLimit", area="operator"))
SCALER_BLIND = Limits(warning=Alert(name="ScalerBlind", area="operator"))
LAST_TICK = Limits(warning=Alert(name="ScalerBlind", area="operator", limit=60))
