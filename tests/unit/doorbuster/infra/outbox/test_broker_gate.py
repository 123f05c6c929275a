from typing import cast

import pytest
from prometheus_client import REGISTRY

from doorbuster.infra.mysql.database_lock import Readings
from doorbuster.infra.outbox.broker_gate import MOST_ROWS, OLDEST_SECONDS, BrokerGate
from doorbuster.infra.outbox.outbox_backlog import Backlog
from doorbuster.kernel.breaker import BreakerState
from doorbuster.kernel.errors import BrokerUnavailable


@pytest.fixture
def gate() -> BrokerGate:
    # It isn't started, so it measures nothing.
    return BrokerGate(cast("Readings", None), lambda: True)


@pytest.mark.parametrize(
    ("rows", "age_seconds", "accepted"),
    [
        (0, 0.0, True),
        (MOST_ROWS - 1, OLDEST_SECONDS, True),
        (MOST_ROWS, 0.0, False),
        (1, OLDEST_SECONDS + 0.001, False),
    ],
)
def test_the_outbox_decides_what_is_accepted(
    gate: BrokerGate, rows: int, age_seconds: float, *, accepted: bool
) -> None:
    gate.see(Backlog(rows=rows, oldest_age_seconds=age_seconds))

    assert gate.accepts() is accepted


def test_a_closed_gate_says_that_the_broker_is_unavailable(gate: BrokerGate) -> None:
    gate.see(Backlog(rows=MOST_ROWS, oldest_age_seconds=1))

    with pytest.raises(BrokerUnavailable):
        gate.require()


def test_a_closed_gate_is_an_open_breaker_for_everybody_to_see(gate: BrokerGate) -> None:
    def shown() -> float | None:
        return REGISTRY.get_sample_value("breaker_open", {"dependency": "kafka"})

    assert (gate.state, shown()) == (BreakerState.CLOSED, 0)
    gate.see(Backlog(rows=MOST_ROWS, oldest_age_seconds=1))
    assert (gate.state, shown()) == (BreakerState.OPEN, 1)
    gate.see(Backlog(rows=0, oldest_age_seconds=0))
    assert (gate.state, shown()) == (BreakerState.CLOSED, 0)


def test_the_last_measurement_stands_while_nobody_can_measure(gate: BrokerGate) -> None:
    gate.see(Backlog(rows=MOST_ROWS, oldest_age_seconds=1))
    gate.see(None)

    assert not gate.accepts()


def test_before_the_first_measurement_everything_is_accepted(gate: BrokerGate) -> None:
    gate.require()

    assert (gate.backlog, gate.broker_reachable) == (None, None)
