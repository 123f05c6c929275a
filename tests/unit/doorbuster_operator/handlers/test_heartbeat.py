import pytest

from doorbuster_operator.handlers.heartbeat import Heartbeat, TicksStopped


def test_six_ticks_may_be_missed_and_not_more() -> None:
    now = 100.0
    heartbeat = Heartbeat(5.0, clock=lambda: now)

    now = 130.0
    assert heartbeat.check() == 30
    now = 130.1
    with pytest.raises(TicksStopped, match="the last tick ended 30 s ago; 30 s are the limit"):
        heartbeat.check()


def test_a_tick_that_ends_makes_it_well_again() -> None:
    now = 0.0
    heartbeat = Heartbeat(5.0, clock=lambda: now)
    now = 100.0

    heartbeat.beat()

    assert heartbeat.check() == 0
