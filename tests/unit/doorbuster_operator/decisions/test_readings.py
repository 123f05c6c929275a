import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorbuster_operator.model.flow import Flow
from tests.unit.doorbuster_operator.decisions.kafka_samples import (
    NOW,
    P0,
    Exporter,
    every_scrape,
    group,
    jittered,
    measured,
    only,
    rising,
    series,
)

JITTERS = st.lists(st.floats(min_value=-0.4, max_value=0.4), min_size=61, max_size=61)


def cached(phase: float, jitter: list[float], *, tells_age: bool) -> Flow:
    exporter = Exporter(reads=jittered(0.0, [0.0] * 61), scrapes=jittered(phase, jitter), tells_age=tells_age)
    return measured(exporter.shows(rising(100), committed=rising(100)), now=NOW + phase)


@given(phase=st.floats(min_value=0.0, max_value=5.0), jitter=JITTERS)
def test_a_reading_that_is_scraped_twice_or_never_doesnt_change_the_rate(phase: float, jitter: list[float]) -> None:
    flow = cached(phase, jitter, tells_age=True)

    assert flow.rate == pytest.approx(100, rel=0.01)
    assert flow.load[P0] == pytest.approx(100, rel=0.01)
    assert not flow.burst


@given(phase=st.floats(min_value=0.0, max_value=5.0), jitter=JITTERS)
def test_without_the_age_of_a_reading_the_rate_is_off_by_one_reading_at_most(phase: float, jitter: list[float]) -> None:
    flow = cached(phase, jitter, tells_age=False)

    assert 70 <= flow.rate <= 130


def test_a_reading_that_is_scraped_twice_last_isnt_a_pause_even_if_nobody_tells_its_age() -> None:
    ends = series(*((at, 100 * at) for at in range(-50, 0, 5)), (0, -500))

    assert only(group({P0: ends})).fast_rate == 100


def test_a_group_at_rest_has_no_rate_even_if_nobody_tells_the_age_of_readings() -> None:
    flow = only(group({P0: every_scrape(rising(100, until=-45))}))

    assert (flow.rate, flow.fast_rate) == (0, 0)


def test_a_slow_reading_is_dated_by_its_begin() -> None:
    # Kafka takes 12 s to answer once: three scrapes show the reading before.
    reads = [*range(-300, -14, 5), -3.0]
    exporter = Exporter(reads=reads, scrapes=[float(at) for at in range(-298, 5, 5)])

    flow = measured(exporter.shows(rising(100), committed=rising(100)), now=NOW + 2)

    assert flow.rate == pytest.approx(100)
    assert flow.load[P0] == pytest.approx(100)
