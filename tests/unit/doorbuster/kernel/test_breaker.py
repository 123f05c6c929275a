from doorbuster.kernel.breaker import Breaker, BreakerPolicy, BreakerState

POLICY = BreakerPolicy(failures=3, open_seconds=10)


def after_failures(count: int, *, now: float = 100.0) -> Breaker:
    breaker = Breaker(policy=POLICY)
    for _ in range(count):
        breaker = breaker.begun().failed(now)
    return breaker


def test_a_closed_breaker_lets_any_number_through() -> None:
    assert Breaker(policy=POLICY).allowed(0.0) is None
    assert after_failures(2).allowed(100.0) is None


def test_enough_failures_in_a_row_open_it() -> None:
    assert after_failures(3).allowed(100.0) == 0
    assert after_failures(3).allowed(109.9) == 0


def test_a_success_in_between_starts_the_count_anew() -> None:
    breaker = after_failures(2).succeeded().failed(100.0).failed(100.0)

    assert breaker.allowed(100.0) is None


def test_after_its_pause_exactly_one_call_tries() -> None:
    breaker = after_failures(3)

    assert breaker.allowed(110.0) == 1
    assert breaker.begun().allowed(110.0) == 0


def test_the_trying_call_decides() -> None:
    trying = after_failures(3).begun()

    assert trying.succeeded().allowed(110.0) is None
    assert trying.failed(110.0).allowed(119.9) == 0
    assert trying.failed(110.0).allowed(120.0) == 1


def test_its_state_follows_its_time() -> None:
    opened = after_failures(3)

    assert [each.state(100.0) for each in (Breaker(policy=POLICY), after_failures(2))] == [BreakerState.CLOSED] * 2
    assert (opened.state(109.9), opened.state(110.0)) == (BreakerState.OPEN, BreakerState.HALF_OPEN)
    assert opened.begun().state(110.0) is BreakerState.HALF_OPEN
    assert opened.begun().succeeded().state(110.0) is BreakerState.CLOSED


def test_a_trying_call_that_is_given_up_lets_another_one_try() -> None:
    assert after_failures(3).begun().given_up().allowed(110.0) == 1
