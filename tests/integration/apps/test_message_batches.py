"""Batches of messages on a real MySQL: every effect exactly once, whoever hands them in again, and when."""

import asyncio
import random
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Row, func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.contracts.bodies import AnyBody
from doorbuster.contracts.messages import decode
from doorbuster.contracts.topics import Group
from doorbuster.infra.batches.message_batches import MessageBatches, Step
from doorbuster.infra.kafka.records import BatchResult, Record
from doorbuster.infra.mysql.database import Database
from doorbuster.infra.mysql.tables import processed_messages
from doorbuster.infra.mysql.transactions import Transactions, database_time
from doorbuster.kernel.errors import NotAccepted, OutcomeUnknown
from doorbuster.settings import Settings
from tests.integration.apps.batch_steps import CountingStep, effects, outbox_rows, processed, record
from tests.integration.apps.counted_statements import CountedStatements
from tests.integration.apps.deadlocks import deadlocks
from tests.integration.apps.lost_answers import Fate, LostAnswers

# An account sees its own statements without a privilege.
_CLAIMING = text(
    "SELECT COUNT(*) FROM performance_schema.processlist WHERE info LIKE 'INSERT INTO processed_messages%'"
)

pytestmark = pytest.mark.integration


def batches(database: Transactions, step: Step, group: Group = Group.ORDER_FLOW) -> MessageBatches:
    return MessageBatches(database, group, step, new_id=uuid4)


async def no_events(connection: AsyncConnection, bodies: Sequence[AnyBody], now: datetime) -> Sequence[AnyBody]:
    return ()


async def test_a_batch_has_its_effects_its_events_and_its_processed_ids(database: Database) -> None:
    step = CountingStep()
    result = await batches(database, step).handle([record(number) for number in range(1, 101)])
    assert result == BatchResult(processed=100)
    assert step.batches == [100]
    assert await effects(database) == 100
    assert await processed(database) == 100
    rows = await outbox_rows(database)
    assert [decode(row.payload).body.key for row in rows] == [UUID(int=number) for number in range(1, 101)]
    assert {(row.topic, row.message_type, row.headers) for row in rows} == {("stock-reserved", "stock.released", None)}
    assert rows[0].message_key == str(UUID(int=1)).encode()
    assert decode(rows[0].payload).occurred_at == rows[0].created_at


async def test_a_large_batch_costs_as_many_statements_as_a_small_one(database: Database) -> None:
    counted = CountedStatements(database)
    handler = batches(counted, CountingStep())
    await handler.handle([record(number) for number in range(2)])
    await handler.handle([record(number) for number in range(10, 510)])
    # The time, known ids, claims, the step's one, events.
    assert counted.statements == [5, 5]
    await handler.handle([record(number) for number in range(10, 510)])
    assert counted.statements[2:] == [2]


async def test_a_batch_of_more_than_two_thousand_rows_is_several_transactions_in_order(database: Database) -> None:
    counted = LostAnswers(database, [])
    step = CountingStep()
    # With its processed id each message costs ten rows.
    handler = MessageBatches(counted, Group.ORDER_FLOW, step, new_id=uuid4, rows_of=lambda _: 9)
    result = await handler.handle([record(number) for number in range(500)])
    assert result == BatchResult(processed=500)
    assert counted.transactions == 3
    assert step.batches == [200, 200, 100]
    rows = await outbox_rows(database)
    assert [decode(row.payload).body.key.int for row in rows] == list(range(500))


async def test_what_of_a_large_batch_is_committed_stays_when_it_comes_again(database: Database) -> None:
    unreliable = LostAnswers(database, [Fate.ANSWERED, Fate.UNAVAILABLE])
    handler = MessageBatches(unreliable, Group.ORDER_FLOW, CountingStep(), new_id=uuid4, rows_of=lambda _: 999)
    records = [record(number) for number in range(6)]
    with pytest.raises(NotAccepted):
        await handler.handle(records)
    assert await effects(database) == 2
    assert await handler.handle(records) == BatchResult(processed=4, duplicates=2)
    assert await effects(database) == 6


async def test_who_publishes_is_told_after_the_commit_and_only_of_what_was_stored(database: Database) -> None:
    stored = CommittedRows(database)
    told = MessageBatches(database, Group.STOCK, CountingStep(), new_id=uuid4, stored=stored)
    await told.handle([record(1), record(2)])
    assert await stored.seen() == [2]
    await told.handle([record(1), record(2)])
    await told.handle([record(3, value=b"{")])
    assert await stored.seen() == [2, 3]
    await MessageBatches(database, Group.COUPON, no_events, new_id=uuid4, stored=stored).handle([record(1)])
    assert await stored.seen() == [2, 3]


async def test_no_records_are_no_transaction(database: Database) -> None:
    counted = LostAnswers(database, [])
    assert await batches(counted, CountingStep()).handle([]) == BatchResult(processed=0)
    assert counted.transactions == 0


class CommittedRows:
    """Told of stored messages, it looks how many of them everybody can see."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._looks: list[asyncio.Task[Sequence[Row[Any]]]] = []

    def __call__(self) -> None:
        self._looks.append(asyncio.create_task(outbox_rows(self._database)))

    async def seen(self) -> list[int]:
        return [len(await look) for look in self._looks]


async def test_duplicates_inside_a_batch_are_done_once(database: Database) -> None:
    numbers = [3, 1, 3, 2, 1, 3]
    result = await batches(database, CountingStep()).handle([record(number) for number in numbers])
    assert result == BatchResult(processed=3, duplicates=3)
    assert await effects(database) == 3


async def test_duplicates_of_earlier_batches_are_left_out(database: Database) -> None:
    step = CountingStep()
    handler = batches(database, step)
    await handler.handle([record(number) for number in range(10)])
    result = await handler.handle([record(number) for number in range(5, 15)])
    assert result == BatchResult(processed=5, duplicates=5)
    assert step.batches == [10, 5]
    assert await effects(database) == 15


async def test_a_batch_of_nothing_but_duplicates_takes_no_step(database: Database) -> None:
    step = CountingStep()
    records = [record(number) for number in range(5)]
    await batches(database, step).handle(records)
    assert await batches(database, step).handle(records) == BatchResult(processed=0, duplicates=5)
    assert step.batches == [5]


async def test_two_groups_both_do_a_message(database: Database) -> None:
    for group in (Group.STOCK, Group.COUPON):
        assert await batches(database, CountingStep(), group).handle([record(1)]) == BatchResult(processed=1)
    assert await effects(database) == 2


async def test_the_same_records_on_two_connections_at_once_have_their_effects_once(database: Database) -> None:
    records = [record(number) for number in range(50)]
    results = await asyncio.gather(*(batches(database, CountingStep()).handle(records) for _ in range(2)))
    assert sorted(result.processed for result in results) == [0, 50]
    assert await effects(database) == 50
    assert len(await outbox_rows(database)) == 50


async def test_many_overlapping_batches_at_once_have_every_effect_once_without_deadlocks(
    empty_tables: Settings, database: Database
) -> None:
    before = deadlocks()
    dice = random.Random(7)
    async with AsyncExitStack() as stack:
        processes = [Database(empty_tables.mysql) for _ in range(6)]
        for process in processes:
            stack.push_async_callback(process.close)
        for first in range(0, 800, 40):
            fresh = range(first, first + 40)
            overlapping = [[record(number) for number in dice.sample(fresh, 12)] for _ in processes]
            await asyncio.gather(*map(_until_accepted, processes, overlapping))
        await _until_accepted(database, [record(number) for number in range(800)])
    assert await effects(database) == 800
    assert len(await outbox_rows(database)) == 800
    assert await processed(database) == 800
    assert deadlocks() == before


async def _until_accepted(database: Transactions, records: list[Record]) -> None:
    for _ in range(20):
        try:
            await batches(database, CountingStep()).handle(records)
        except NotAccepted:
            continue
        return
    raise AssertionError("never accepted")


async def test_a_claim_that_waits_behind_another_transaction_goes_on_with_what_is_left(database: Database) -> None:
    """The other one commits after we looked: no dead letter, no second effect, and no mark is left behind."""
    async with database.transaction() as connection:
        handling = await _handlers_that_wait(database, connection, number=1)
    assert [await each for each in handling] == [BatchResult(processed=1, duplicates=1)]
    assert await effects(database) == 1
    async with database.reading() as connection:
        oldest = (await connection.execute(select(func.min(processed_messages.c.processed_at)))).scalar_one()
        assert (await database_time(connection) - oldest).total_seconds() < 60
    assert {row.message_type for row in await outbox_rows(database)} == {"stock.released"}


async def test_a_claim_that_waits_behind_a_rollback_is_free(database: Database) -> None:
    before = deadlocks()
    with suppress(_TakenBack):
        async with database.transaction() as connection:
            handling = await _handlers_that_wait(database, connection, number=1)
            raise _TakenBack
    assert [await each for each in handling] == [BatchResult(processed=2)]
    assert deadlocks() == before


async def test_two_claims_that_wait_behind_a_rollback_are_done_once(database: Database) -> None:
    """InnoDB may call this a deadlock and end one of them, which is tried again like everything that is no poison."""
    with suppress(_TakenBack):
        async with database.transaction() as connection:
            handling = await _handlers_that_wait(database, connection, number=2)
            raise _TakenBack
    ends = await asyncio.gather(*handling, return_exceptions=True)
    assert all(isinstance(end, (BatchResult, NotAccepted)) for end in ends)
    await batches(database, CountingStep()).handle([record(1), record(2)])
    assert await effects(database) == 2
    assert {row.message_type for row in await outbox_rows(database)} == {"stock.released"}


class _TakenBack(Exception):
    pass


async def _handlers_that_wait(
    database: Database, connection: AsyncConnection, *, number: int
) -> Sequence[asyncio.Task[BatchResult]]:
    """Claim message 1 on `connection`; return handlers of messages 1 and 2 that stand behind that claim."""
    now = await database_time(connection)
    taken = [{"consumer_group": Group.ORDER_FLOW, "message_id": UUID(int=1), "processed_at": now}]
    await connection.execute(insert(processed_messages), taken)
    handlers = [batches(database, CountingStep()) for _ in range(number)]
    handling = [asyncio.create_task(handler.handle([record(1), record(2)])) for handler in handlers]
    async with asyncio.timeout(5):
        waiting = 0
        while waiting < number:
            waiting = (await connection.execute(_CLAIMING)).scalar_one()
    return handling


@pytest.mark.parametrize("fate", [Fate.COMMITTED_UNANSWERED, Fate.ROLLED_BACK_UNANSWERED])
async def test_an_unknown_outcome_is_settled_by_the_same_batch_again(database: Database, fate: Fate) -> None:
    step = CountingStep()
    unreliable = LostAnswers(database, [fate, fate])
    result = await batches(unreliable, step).handle([record(number) for number in range(10)])
    assert result.processed + result.duplicates == 10
    assert unreliable.transactions == 3
    assert set(step.batches) == {10}
    assert await effects(database) == 10
    assert len(await outbox_rows(database)) == 10


async def test_an_outcome_that_stays_unknown_is_the_callers_to_try_again(database: Database) -> None:
    unreliable = LostAnswers(database, [Fate.ROLLED_BACK_UNANSWERED] * 3)
    handler = batches(unreliable, CountingStep())
    records = [record(number) for number in range(10)]
    with pytest.raises(OutcomeUnknown):
        await handler.handle(records)
    assert await effects(database) == 0
    assert await handler.handle(records) == BatchResult(processed=10)
