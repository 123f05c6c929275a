"""Poison on a real MySQL: it is found, it alone becomes a dead letter, and nothing else ever does (R7)."""

from collections.abc import Iterator, MutableMapping
from typing import Any
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from doorbuster.contracts.messages import LONGEST_MESSAGE_BYTES
from doorbuster.contracts.topics import Group
from doorbuster.infra.batches.message_batches import MessageBatches
from doorbuster.infra.kafka.records import BatchResult, Record
from doorbuster.infra.mysql.database import Database
from doorbuster.infra.mysql.transactions import Transactions
from doorbuster.kernel.errors import NotAccepted, PrimaryUnavailable
from tests.integration.apps.batch_steps import CountingStep, effects, outbox_rows, processed, record
from tests.integration.apps.lost_answers import Fate, LostAnswers

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[MutableMapping[str, Any]]]:
    """What was logged; nobody renders it, which takes seconds where errors have causes."""
    with capture_logs() as entries:
        yield entries


def batches(database: Transactions, step: CountingStep, group: Group = Group.ORDER_FLOW) -> MessageBatches:
    return MessageBatches(database, group, step, new_id=uuid4)


@pytest.mark.parametrize(
    ("step", "exception"),
    [
        (CountingStep(undecidable=[57]), "builtins.ZeroDivisionError"),
        (CountingStep(unstorable=[57]), "sqlalchemy.exc.DataError"),
    ],
)
async def test_poison_in_the_middle_is_a_dead_letter_and_all_others_are_done(
    database: Database, logged: list[MutableMapping[str, Any]], step: CountingStep, exception: str
) -> None:
    records = [record(number) for number in range(100)]
    result = await batches(database, step).handle(records)
    assert result == BatchResult(processed=99, dead_letters=1)
    assert len(step.batches) <= 2 * 8
    assert await effects(database) == 99
    letters = [row for row in await outbox_rows(database) if row.topic == "stock-reserved.dlt"]
    assert [(row.message_key, row.payload, row.message_type) for row in letters] == [
        (records[57].key, records[57].value, "dead-letter")
    ]
    assert letters[0].headers["source-offset"] == "57"
    assert letters[0].headers["group"] == "order-flow-manager-group"
    assert [entry["offset"] for entry in logged if entry["event"] == "message_dead_lettered"] == [57]
    assert letters[0].headers["exception"] == exception
    assert await batches(database, step).handle(records) == BatchResult(processed=0, duplicates=100)
    assert len(await outbox_rows(database)) == 100


async def test_several_poisoned_messages_are_all_found(database: Database) -> None:
    step = CountingStep(undecidable=[0, 13, 14, 39], unstorable=[20])
    result = await batches(database, step).handle([record(number) for number in range(40)])
    assert result == BatchResult(processed=35, dead_letters=5)
    assert await effects(database) == 35


async def test_undecodable_records_are_dead_letters_once_and_stop_nobody(database: Database) -> None:
    records = [record(1), record(2, value=b"{"), record(3, value=b"\xff" * 10), record(4)]
    step = CountingStep()
    assert await batches(database, step).handle(records) == BatchResult(processed=2, dead_letters=2)
    assert await batches(database, step).handle(records) == BatchResult(processed=0, duplicates=4)
    letters = [row for row in await outbox_rows(database) if row.topic == "stock-reserved.dlt"]
    assert [row.payload for row in letters] == [b"{", b"\xff" * 10]


async def test_a_foreign_record_without_key_or_value_or_with_a_long_key_is_stored_too(database: Database) -> None:
    foreign = [
        Record(topic="order-created", partition=0, offset=1, key=None, value=None, timestamp_ms=-1),
        Record(topic="order-created", partition=0, offset=2, key=b"k" * 1000, value=b"{", timestamp_ms=-1),
    ]
    assert await batches(database, CountingStep()).handle(foreign) == BatchResult(processed=0, dead_letters=2)
    assert [row.message_key for row in await outbox_rows(database)] == [b"", b"k" * 64]


async def test_a_foreign_record_that_is_longer_than_any_column_is_cut_and_stops_nobody(database: Database) -> None:
    """A few bytes of a compressed batch may be a record of many MiB."""
    records = [record(1), record(2, value=b"x" * 17 * 1024 * 1024), record(3)]
    assert await batches(database, CountingStep()).handle(records) == BatchResult(processed=2, dead_letters=1)
    (letter,) = [row for row in await outbox_rows(database) if row.topic == "stock-reserved.dlt"]
    assert letter.payload == b"x" * LONGEST_MESSAGE_BYTES
    assert letter.headers["source-value"] == "cut"


@pytest.mark.parametrize("trouble", [PrimaryUnavailable("gone"), ZeroDivisionError("a bug outside of a decision")])
async def test_trouble_that_is_no_poison_splits_nothing_and_condemns_nothing(
    database: Database, trouble: Exception
) -> None:
    step = CountingStep(raises=[trouble])
    records = [record(number) for number in range(10)]
    with pytest.raises(NotAccepted):
        await batches(database, step).handle(records)
    assert step.batches == [10]
    assert await processed(database) == 0
    assert await batches(database, step).handle(records) == BatchResult(processed=10)
    assert {row.topic for row in await outbox_rows(database)} == {"stock-reserved"}


async def test_what_was_committed_before_an_outage_stays_when_the_batch_comes_again(database: Database) -> None:
    step = CountingStep(undecidable=[9])
    records = [record(number) for number in range(10)]
    # The whole, its first half, and then nobody answers.
    with pytest.raises(PrimaryUnavailable):
        await batches(LostAnswers(database, [Fate.ANSWERED] * 2 + [Fate.UNAVAILABLE]), step).handle(records)
    assert await effects(database) == 5
    assert await batches(database, step).handle(records) == BatchResult(processed=4, duplicates=5, dead_letters=1)
    assert await effects(database) == 9
