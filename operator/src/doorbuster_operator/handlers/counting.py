"""What the loop counts, as metrics."""

import time

from doorbuster_operator import telemetry


class LoopMetrics:
    """Counts in the process' registry."""

    def tick_ended(self, seconds: float) -> None:
        """A tick has ended after so long."""
        telemetry.OPERATOR_TICK_SECONDS.observe(seconds)
        telemetry.OPERATOR_LAST_TICK.set(time.time())

    def failed(self, call: str) -> None:
        """A call failed, was given up, or couldn't be made."""
        telemetry.OPERATOR_ERRORS.labels(call).inc()

    def leads(self, *, held: bool) -> None:
        """Whether this operator may act."""
        telemetry.OPERATOR_LEADER.set(held)
