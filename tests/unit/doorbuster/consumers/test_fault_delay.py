"""A consumer that is slow on purpose (P19)."""

from itertools import count

import pytest
from prometheus_client import REGISTRY

from doorbuster.consumers.intake import Limits, limits_with
from doorbuster.consumers.runtime import SLICE_SECONDS
from doorbuster.kernel.errors import PrimaryUnavailable
from tests.unit.doorbuster.consumers.fake_source import FakeKafka, FakeSource
from tests.unit.doorbuster.consumers.running import FIRST, SECOND, TOPIC, Handler, consumer, running, until

GROUP_NUMBERS = count()
# Of its half a second a test would wait in vain; the runtime's own look at time is what is tried.
SHORT = 0.01
OVER_A_SLICE = SLICE_SECONDS + 0.1
LONG = 60.0


@pytest.fixture
def group() -> str:
    return f"delayed-{next(GROUP_NUMBERS)}"


@pytest.fixture
def kafka() -> FakeKafka:
    return FakeKafka.with_partitions(TOPIC, 2)


class CountingPauses(FakeSource):
    """Counts how often its delivery was stopped."""

    pauses = 0

    def pause(self) -> None:
        self.pauses += 1
        super().pause()


def value(name: str, group: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, {"group": group, **labels})


@pytest.mark.parametrize(
    ("delay_seconds", "records"),
    [(0.0, 500), (0.0001, 500), (0.001, 500), (0.05, 10), (0.1, 5), (0.12, 4), (0.5, 1), (10.0, 1)],
)
def test_a_batch_ends_at_half_a_second_of_delay(delay_seconds: float, records: int) -> None:
    assert limits_with(delay_seconds).records == records


async def test_each_record_costs_its_delay_and_that_is_busy_time(kafka: FakeKafka, group: str) -> None:
    kafka.produce(FIRST, *(b"%d" % number for number in range(12)))
    handler = Handler()
    limits = Limits(records=5, idle_seconds=0.005, linger_seconds=0.002, rest=0)

    delayed = consumer(FakeSource(kafka), handler, group=group, limits=limits, delay_per_record_seconds=SHORT)
    async with running(delayed):
        await until(lambda: kafka.committed == {FIRST: 12}, "the commits")

    assert [len(batch) for batch in handler.batches] == [5, 5, 2]
    assert (value("consumer_busy_seconds_total", group) or 0) >= 12 * SHORT
    assert value("consumer_records_total", group, result="processed") == 12
    assert value("consumer_batches_total", group) == 3
    assert value("fault_delay_seconds", group) == SHORT


async def test_a_second_attempt_is_not_delayed_again(kafka: FakeKafka, group: str) -> None:
    kafka.produce(FIRST, b"a")
    source = CountingPauses(kafka)
    handler = Handler(errors=[PrimaryUnavailable("failover")] * 3)

    async with running(consumer(source, handler, group=group, delay_per_record_seconds=SHORT)):
        await until(lambda: kafka.committed == {FIRST: 1}, "the commit")

    # None for so short a delay, one for all attempts that followed the first.
    assert (len(handler.attempts), source.pauses) == (4, 1)
    assert (value("consumer_busy_seconds_total", group) or 0) >= SHORT


async def test_a_short_delay_has_nothing_fetched_again(kafka: FakeKafka, group: str) -> None:
    kafka.produce(FIRST, b"a", b"b")
    source = CountingPauses(kafka)

    async with running(consumer(source, Handler(), group=group, delay_per_record_seconds=SHORT)):
        await until(lambda: kafka.committed == {FIRST: 2}, "the commit")

    assert source.pauses == 0


async def test_what_is_revoked_during_the_delay_is_dropped_and_the_rest_is_done(kafka: FakeKafka) -> None:
    kafka.produce(FIRST, b"a")
    kafka.produce(SECOND, b"b")
    source, other = FakeSource(kafka), FakeSource(kafka)
    handler = Handler()

    async with running(consumer(source, handler, delay_per_record_seconds=OVER_A_SLICE)):
        await until(lambda: source.paused, "the delay")
        kafka.members.append(other)
        await until(lambda: bool(handler.attempts), "the work")
        kafka.members.remove(other)
        await until(lambda: kafka.committed == {FIRST: 1, SECOND: 1}, "both commits")

    assert handler.batches == [[b"a"], [b"b"]]


async def test_a_batch_that_is_lost_during_the_delay_is_not_begun_but_read_again(kafka: FakeKafka, group: str) -> None:
    kafka.produce(FIRST, b"a")
    source, handler = FakeSource(kafka), Handler()

    async with running(consumer(source, handler, group=group, delay_per_record_seconds=OVER_A_SLICE)):
        await until(lambda: source.paused, "the delay")
        source.lose()
        await until(lambda: kafka.committed == {FIRST: 1}, "the commit")

    assert handler.batches == [[b"a"]]
    assert (len(handler.attempts), value("consumer_batches_total", group)) == (1, 1)


async def test_a_stop_during_the_delay_leaves_the_batch_to_the_next(kafka: FakeKafka) -> None:
    kafka.produce(FIRST, b"a")
    source, handler = FakeSource(kafka), Handler()

    async with running(consumer(source, handler, delay_per_record_seconds=LONG)):
        await until(lambda: source.paused, "the delay")

    assert (handler.attempts, kafka.committed, source.closed) == ([], {}, True)
    assert kafka.members == []


async def test_liveness_and_readiness_hold_during_a_long_delay(kafka: FakeKafka) -> None:
    kafka.produce(FIRST, b"a")
    source = FakeSource(kafka)
    runtime = consumer(source, Handler(), delay_per_record_seconds=LONG)

    async with running(runtime):
        await until(lambda: source.paused, "the delay")
        assert (runtime.alive(), runtime.ready()) == (True, True)


async def test_without_a_fault_nothing_is_held_up(kafka: FakeKafka, group: str) -> None:
    kafka.produce(FIRST, b"a")
    source = FakeSource(kafka)

    async with running(consumer(source, Handler(), group=group)):
        await until(lambda: kafka.committed == {FIRST: 1}, "the commit")

    assert value("fault_delay_seconds", group) == 0
