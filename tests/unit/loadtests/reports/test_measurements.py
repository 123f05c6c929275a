import pytest

from loadtests.reports.measurements import Sample, measure, windows
from loadtests.witness import Outcome

OK, FAIL, SOLD_OUT, UNKNOWN = Outcome.OK, Outcome.FAIL, Outcome.SOLD_OUT, Outcome.UNKNOWN


def sample(at: float, outcome: Outcome = OK, *, intent: str = "", seconds: float = 0.1) -> Sample:
    return Sample(at=at, seconds=seconds, intent=intent or str(at), outcome=outcome)


def test_times_are_those_of_every_request_and_outcomes_those_of_intents() -> None:
    found = measure("orders", [sample(0, UNKNOWN, intent="a"), sample(1, intent="a", seconds=0.3), sample(2, FAIL)])

    assert (found.requests, found.intents, found.ok, found.refused, found.unknown) == (3, 2, 1, 1, 0)
    assert (found.mean_ms, found.p50_ms, found.p99_ms) == (166.7, 100.0, 300.0)
    assert found.per_second == pytest.approx(3 / 2.1, abs=0.1)


def test_what_succeeded_stays_so_whatever_a_repeat_is_told() -> None:
    assert measure("asks", [sample(0, intent="a"), sample(1, SOLD_OUT, intent="a")]).ok == 1


def test_sold_out_is_no_error() -> None:
    found = measure("asks", [sample(0), sample(1, SOLD_OUT), sample(2, UNKNOWN), sample(3, FAIL)])

    assert (found.sold_out, found.errors, found.error_percent) == (1, 2, 50)


def test_without_requests_nothing_is_known() -> None:
    found = measure("reads", [])

    assert (found.requests, found.p95_ms, found.per_second, found.error_percent) == (0, None, None, None)


def test_quantiles_of_a_hundred_are_where_they_should_be() -> None:
    found = measure("reads", [sample(n, seconds=n / 1000) for n in range(1, 101)])

    assert (found.p50_ms, found.p95_ms, found.p99_ms) == (51.0, 96.0, 100.0)


def test_stretches_count_requests_where_they_began_and_show_gaps() -> None:
    found = windows([sample(10.0), sample(11.0, SOLD_OUT, seconds=0.5), sample(14.5)], seconds=2.0)

    assert [window.begin for window in found] == [0.0, 2.0, 4.0]
    assert [window.rates[OK] for window in found] == [0.5, 0.0, 0.5]
    assert (found[0].rates[SOLD_OUT], found[0].p95_ms, found[1].p50_ms) == (0.5, 500.0, None)
    assert windows([]) == []
