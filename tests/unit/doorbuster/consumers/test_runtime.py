import asyncio

import pytest

from doorbuster.consumers.runtime import Backoff
from doorbuster.infra.kafka.record_source import SourceFailed
from doorbuster.kernel.errors import OutcomeUnknown, PrimaryUnavailable
from tests.unit.doorbuster.consumers.fake_source import FakeKafka, FakeSource
from tests.unit.doorbuster.consumers.running import FIRST, SECOND, TOPIC, Handler, consumer, running, until


@pytest.fixture
def kafka() -> FakeKafka:
    return FakeKafka.with_partitions(TOPIC, 2)


async def test_what_waits_is_one_batch_and_its_end_is_committed_afterwards(kafka: FakeKafka) -> None:
    kafka.produce(FIRST, b"a", b"b")
    kafka.produce(SECOND, b"c")
    handler, source = Handler(), FakeSource(kafka)

    async with running(consumer(source, handler)):
        await until(lambda: kafka.committed == {FIRST: 2, SECOND: 1}, "the commit")

    assert handler.batches == [[b"a", b"b", b"c"]]


async def test_a_batch_ends_at_its_limit_of_records(kafka: FakeKafka) -> None:
    kafka.produce(FIRST, *(b"%d" % number for number in range(25)))
    handler = Handler()

    async with running(consumer(FakeSource(kafka), handler)):
        await until(lambda: len(handler.values) == 25, "all records")

    assert [len(batch) for batch in handler.batches] == [10, 10, 5]


async def test_a_batch_ends_with_the_record_that_reaches_its_limit_of_bytes(kafka: FakeKafka) -> None:
    kafka.produce(FIRST, *(bytes(400) for _ in range(6)))
    handler = Handler()

    async with running(consumer(FakeSource(kafka), handler)):
        await until(lambda: len(handler.values) == 6, "all records")

    assert [len(batch) for batch in handler.batches] == [3, 3]


async def test_nothing_is_committed_before_the_transaction(kafka: FakeKafka) -> None:
    kafka.produce(FIRST, b"a")
    seen = []

    async def look() -> None:
        seen.append(dict(kafka.committed))

    async with running(consumer(FakeSource(kafka), Handler(before=look))):
        await until(lambda: kafka.committed == {FIRST: 1}, "the commit")

    assert seen == [{}]


@pytest.mark.parametrize("error", [PrimaryUnavailable("failover"), OutcomeUnknown("no answer to COMMIT")])
async def test_a_transient_error_repeats_the_same_batch_with_the_partitions_paused(
    kafka: FakeKafka, error: Exception
) -> None:
    kafka.produce(FIRST, b"a", b"b")
    source = FakeSource(kafka)
    paused = []

    async def look() -> None:
        paused.append(source.paused)
        if len(paused) == 1:
            kafka.produce(FIRST, b"later")

    handler = Handler(errors=[error] * 3, before=look)
    async with running(consumer(source, handler)):
        await until(lambda: kafka.committed == {FIRST: 3}, "the commit")

    assert handler.attempts[:4] == [[b"a", b"b"]] * 4
    assert paused[:5] == [False, True, True, True, False]
    assert handler.batches == [[b"a", b"b"], [b"later"]]


async def test_a_consumer_in_trouble_takes_part_in_rebalances_and_gives_up_what_is_revoked(kafka: FakeKafka) -> None:
    kafka.produce(FIRST, b"keeps")
    kafka.produce(SECOND, b"moves")
    first, second = FakeSource(kafka), FakeSource(kafka)
    broken = Handler(errors=[PrimaryUnavailable("failover")] * 1000)
    healthy = Handler()

    async with running(consumer(first, broken)):
        await until(lambda: len(broken.attempts) > 1, "a second attempt")
        async with running(consumer(second, healthy)):
            await until(lambda: healthy.values == [b"moves"], "the record that moved")
            broken.errors.clear()
            await until(lambda: kafka.committed == {FIRST: 1, SECOND: 1}, "both commits")

    assert broken.attempts[0] == [b"keeps", b"moves"]
    assert broken.values == [b"keeps"]
    assert {partition for commit in first.commits for partition in commit} == {FIRST}


async def test_a_revocation_waits_for_the_batch_in_hand_and_commits_it(kafka: FakeKafka) -> None:
    kafka.produce(SECOND, b"a")
    source, other = FakeSource(kafka), FakeSource(kafka)

    async def other_joins() -> None:
        if other not in kafka.members:
            kafka.members.append(other)

    handler = Handler(before=other_joins)
    async with running(consumer(source, handler)):
        await until(lambda: other in kafka.members and SECOND not in kafka.owners, "the revocation")

    assert handler.values == [b"a"]
    assert kafka.committed == {SECOND: 1}


async def test_a_lost_partition_is_dropped_without_a_commit_and_read_again(kafka: FakeKafka) -> None:
    kafka.produce(FIRST, b"a")
    source = FakeSource(kafka)

    async def lose_once() -> None:
        if len(handler.attempts) == 1:
            source.lose()

    handler = Handler(errors=[PrimaryUnavailable("failover")], before=lose_once)
    async with running(consumer(source, handler)):
        await until(lambda: bool(handler.batches), "the batch of the second assignment")
        assert kafka.committed in ({}, {FIRST: 1})
        await until(lambda: kafka.committed == {FIRST: 1}, "the commit")

    assert handler.attempts == [[b"a"], [b"a"]]


async def test_a_finished_batch_of_a_lost_partition_is_not_committed(kafka: FakeKafka) -> None:
    kafka.produce(FIRST, b"a")
    source = FakeSource(kafka)
    source.refuse_commits = True
    handler = Handler()

    async with running(consumer(source, handler)):
        await until(lambda: bool(handler.batches), "the batch")
        source.lose()
        await until(lambda: len(handler.batches) > 1, "the redelivery")

    assert handler.values[:2] == [b"a", b"a"]
    assert source.commits == []


async def test_a_commit_that_failed_is_sent_again_though_nothing_new_comes(kafka: FakeKafka) -> None:
    kafka.produce(FIRST, b"a")
    source = FakeSource(kafka)
    source.refuse_commits = True
    handler = Handler()

    async with running(consumer(source, handler)):
        await until(lambda: bool(handler.batches), "the batch")
        source.refuse_commits = False
        await until(lambda: kafka.committed == {FIRST: 1}, "the commit")

    assert handler.batches == [[b"a"]]


async def test_a_stop_finishes_the_batch_in_hand_commits_and_leaves(kafka: FakeKafka) -> None:
    kafka.produce(FIRST, b"a")
    source = FakeSource(kafka)
    entered, leave = asyncio.Event(), asyncio.Event()

    async def block() -> None:
        entered.set()
        await leave.wait()

    handler = Handler(before=block)
    async with running(consumer(source, handler)) as stopping:
        await entered.wait()
        stopping.set()
        leave.set()

    assert (handler.values, kafka.committed, source.closed) == ([b"a"], {FIRST: 1}, True)


async def test_a_stop_ends_the_attempts_at_a_batch_that_is_not_accepted_without_a_commit(kafka: FakeKafka) -> None:
    kafka.produce(FIRST, b"a")
    source = FakeSource(kafka)
    handler = Handler(errors=[PrimaryUnavailable("gone")] * 1000)

    async with running(consumer(source, handler)):
        await until(lambda: len(handler.attempts) > 1, "a second attempt")

    assert (kafka.committed, source.closed) == ({}, True)


async def test_a_bug_ends_the_consumer_without_committing_its_batch(kafka: FakeKafka) -> None:
    kafka.produce(FIRST, *(b"%d" % number for number in range(11)))
    source = FakeSource(kafka)
    handler = Handler(before=None)

    async def fail_at_the_second() -> None:
        if len(handler.attempts) == 2:
            raise ZeroDivisionError

    handler.before = fail_at_the_second
    with pytest.raises(ZeroDivisionError):
        await consumer(source, handler).run([TOPIC], asyncio.Event())

    assert (kafka.committed, source.closed) == ({FIRST: 10}, True)


async def test_a_source_that_failed_for_good_ends_the_consumer(kafka: FakeKafka) -> None:
    source = FakeSource(kafka)
    source.fail("fenced")
    runtime = consumer(source, Handler())

    with pytest.raises(SourceFailed, match="fenced"):
        await runtime.run([TOPIC], asyncio.Event())

    assert source.closed
    assert not runtime.ready()


async def test_readiness_is_there_without_any_partition() -> None:
    runtime = consumer(FakeSource(FakeKafka(logs={})), Handler())

    assert not runtime.ready()
    async with running(runtime):
        await until(runtime.ready, "readiness")
        assert runtime.alive()


async def test_only_one_thread_ever_speaks_to_the_source(kafka: FakeKafka) -> None:
    kafka.produce(FIRST, *(b"%d" % number for number in range(50)))
    source = FakeSource(kafka)
    handler = Handler(errors=[PrimaryUnavailable("failover")])

    async with running(consumer(source, handler)):
        await until(lambda: kafka.committed == {FIRST: 50}, "all commits")

    assert len(source.threads) == 1


async def test_records_of_a_killed_consumer_come_again_to_the_next(kafka: FakeKafka) -> None:
    kafka.produce(FIRST, b"a", b"b")
    dead = FakeSource(kafka)
    dead.refuse_commits = True
    handler, heir = Handler(), Handler()

    async with running(consumer(dead, handler)):
        await until(lambda: handler.values == [b"a", b"b"], "the first delivery")
        dead.vanish()
        async with running(consumer(FakeSource(kafka), heir)):
            await until(lambda: heir.values == [b"a", b"b"], "the redelivery")


def test_pauses_double_up_to_the_longest_and_vary_by_half() -> None:
    backoff = Backoff(first_seconds=0.1, longest_seconds=5.0)

    assert [backoff.seconds(attempt, 1.0) for attempt in (1, 2, 3, 7, 1000)] == [0.1, 0.2, 0.4, 5.0, 5.0]
    assert backoff.seconds(1, 0.0) == 0.05
