"""What the sender of deliveries exports about itself, and tells the others."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence

from redis.asyncio import Redis

from doorbuster.deliveries.model import DeliveryStatus
from doorbuster.deliveries.service import Sender
from doorbuster.infra.circuits import Dependency, show_breaker
from doorbuster.infra.notices import NoticeBoard, keep_telling
from doorbuster.infra.telemetry import DELIVERIES, DELIVERIES_DUE


class DeliveryMeasures:
    """A delivery observer that writes metrics."""

    def __init__(self) -> None:
        """Show all results as 0: a counter that begins at 1 has no increase, and the first parked one is an alert."""
        for outcome in DeliveryStatus:
            DELIVERIES.labels(_result(outcome))

    def due(self, count: int) -> None:
        """Show how many rows are due."""
        DELIVERIES_DUE.set(count)

    def attempted(self, outcome: DeliveryStatus) -> None:
        """Count an attempt: `delivered`, `parked`, or `failed` when it will be repeated."""
        DELIVERIES.labels(_result(outcome)).inc()


def _result(outcome: DeliveryStatus) -> str:
    return "failed" if outcome is DeliveryStatus.DUE else outcome.value.lower()


def partner_notices(sender: Sender, client: Redis) -> Callable[[asyncio.Event], Coroutine[None, None, None]]:
    """Return what shows and tells the state of the partner's breaker until its event is set."""

    def state() -> Sequence[str]:
        found = sender.breaker.state(sender.clock())
        show_breaker(Dependency.PARTNER, found)
        return (f"{Dependency.PARTNER}={found}",)

    return lambda stopping: keep_telling(client, NoticeBoard.BREAKERS, state, stopping)
