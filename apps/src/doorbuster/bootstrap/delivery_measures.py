"""What the sender of deliveries exports about itself."""

from doorbuster.deliveries.model import DeliveryStatus
from doorbuster.infra.telemetry import DELIVERIES, DELIVERIES_DUE


class DeliveryMeasures:
    """A delivery observer that writes metrics."""

    def due(self, count: int) -> None:
        """Show how many rows are due."""
        DELIVERIES_DUE.set(count)

    def attempted(self, outcome: DeliveryStatus) -> None:
        """Count an attempt: `delivered`, `parked`, or `failed` when it will be repeated."""
        DELIVERIES.labels("failed" if outcome is DeliveryStatus.DUE else outcome.value.lower()).inc()
