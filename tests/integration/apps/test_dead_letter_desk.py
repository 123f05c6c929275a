"""Dead letters on real Kafka and MySQL: who gives up what, what a replay does, and that nothing is done twice (R7)."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from click.testing import CliRunner
from confluent_kafka import Consumer, Message, TopicPartition
from sqlalchemy import select

from doorbuster.bootstrap.consumers import ConsumerName, parts_of
from doorbuster.bootstrap.dead_letters import DeadLetterDesk
from doorbuster.consumers.__main__ import assembled
from doorbuster.contracts.bodies import OrderCompleted, OrderLine
from doorbuster.contracts.messages import LONGEST_MESSAGE_BYTES, encode
from doorbuster.contracts.messages import Message as Envelope
from doorbuster.contracts.topics import Group, Topic, dead_letter_topic
from doorbuster.infra.batches.dead_letters import LetterState
from doorbuster.infra.batches.letter_decisions import DeadLetter
from doorbuster.infra.batches.letter_rows import Wanted
from doorbuster.infra.batches.message_batches import MessageBatches
from doorbuster.infra.kafka.records import BatchResult, Record
from doorbuster.infra.mysql.database import Database
from doorbuster.infra.mysql.tables import dead_letters
from doorbuster.jobs import dlt
from doorbuster.kernel.ids import MessageId
from doorbuster.settings import KafkaSettings, Settings
from tests.integration.apps.batch_steps import CountingStep, effects, outbox_rows, record
from tests.integration.apps.kafka_topics import produce
from tests.integration.apps.processes import environment_of
from tests.integration.apps.relays import kafka_producer, reached, running_relay, unpublished

pytestmark = pytest.mark.integration

PARTITION = 0
PATIENCE_SECONDS = 60.0
EVERY_STATE = Wanted(state=None)


async def test_each_kind_of_poison_is_a_dead_letter_with_its_cause_and_the_partition_goes_on(
    settings: Settings, topics: frozenset[str], database: Database
) -> None:
    poison = {0: b'{"id": ', 2: unknown_version(2), 4: oversized(4)}
    values = [poison.get(number, completed(number)) for number in range(6)]
    produce(settings.kafka, Topic.ORDER_COMPLETED, [(PARTITION, value) for value in values])

    async with consumer(settings), kafka_producer(settings.kafka) as producer:
        await until_letters(database, 3)
        async with running_relay(settings.mysql, producer):
            await reached(lambda: unpublished(settings.mysql) == 0, "everything is published")

    found = {letter.offset: letter for letter in await letters_of(database)}
    assert topics
    assert found.keys() == poison.keys()
    assert all(letter.group == Group.POST_PROCESS for letter in found.values())
    assert "bytes are too many" in found[4].headers["cause"]
    assert "in version 999 is unknown" in found[2].headers["cause"]
    assert (found[0].payload, found[2].payload) == (poison[0], poison[2])
    assert found[4].payload == poison[4][:LONGEST_MESSAGE_BYTES]
    in_topic = [headers_of(message) for message in messages(settings.kafka, Topic.ORDER_COMPLETED)]
    assert sorted(int(headers["source-offset"]) for headers in in_topic) == sorted(poison)
    for headers in in_topic:
        assert headers["source-topic"] == Topic.ORDER_COMPLETED
        assert len(headers["stack-digest"]) == 64
    # The three good ones have had their effect: an order's data is handed on.
    sent = [row for row in await outbox_rows(database) if row.topic == Topic.SEND_ORDER_DATA]
    assert len(sent) == 3


async def test_a_message_that_is_sent_again_before_it_is_mended_is_another_dead_letter(
    settings: Settings, topics: frozenset[str], database: Database
) -> None:
    produce(settings.kafka, Topic.ORDER_COMPLETED, [(PARTITION, unknown_version(1))])
    desk = DeadLetterDesk(database)

    async with (
        consumer(settings),
        kafka_producer(settings.kafka) as producer,
        running_relay(settings.mysql, producer),
    ):
        await until_letters(database, 1)
        (letter,) = await letters_of(database)
        await desk.replay([letter.id])
        await until_letters(database, 2)

    assert topics
    newest, first = await desk.page(EVERY_STATE, before=None, most=10)
    assert (first.state, first.replays, newest.state) == (LetterState.REPLAYED, 1, LetterState.OPEN)
    assert (newest.partition, newest.offset) != (first.partition, first.offset)


async def test_a_mended_message_has_its_effect_once_however_often_it_is_sent_and_read(database: Database) -> None:
    step = CountingStep(undecidable=[7])
    group = MessageBatches(database, Group.ORDER_FLOW, step, new_id=uuid4)
    records = [record(number) for number in range(10)]
    assert await group.handle(records) == BatchResult(processed=9, dead_letters=1)
    (letter,) = await letters_of(database)
    desk = DeadLetterDesk(database)

    first = await desk.replay([letter.id])
    second = await desk.replay([letter.id])
    step.undecidable = []
    (again,) = await replayed(database)
    results = [await group.handle([again]), await group.handle([again]), await group.handle(records)]

    assert (first[0].refusal, second[0].refusal is not None and second[0].refusal.done_before) == (None, True)
    assert again.value == letter.payload
    assert results == [
        BatchResult(processed=1), BatchResult(processed=0, duplicates=1), BatchResult(processed=0, duplicates=10)
    ]  # fmt: skip
    assert await effects(database) == 10


async def test_a_group_that_has_done_it_already_does_not_do_it_again(database: Database) -> None:
    giving_up = MessageBatches(database, Group.STOCK, CountingStep(undecidable=[7]), new_id=uuid4)
    doing = MessageBatches(database, Group.COUPON, CountingStep(), new_id=uuid4)
    await giving_up.handle([record(7)])
    await doing.handle([record(7)])
    (letter,) = await letters_of(database)

    await DeadLetterDesk(database).replay([letter.id])
    (again,) = await replayed(database)

    assert await doing.handle([again]) == BatchResult(processed=0, duplicates=1)
    assert await effects(database) == 1


async def test_two_who_send_the_same_ones_at_once_send_each_once(database: Database) -> None:
    group = MessageBatches(database, Group.ORDER_FLOW, CountingStep(undecidable=range(120)), new_id=uuid4)
    await group.handle([record(number) for number in range(120)])
    desk = DeadLetterDesk(database)
    _, newest = await desk.count(Wanted())

    async def all_of() -> int:
        outcomes = [each async for some in desk.replay_all(Wanted(), newest=newest) for each in some]
        return sum(each.refusal is None for each in outcomes)

    assert sum(await asyncio.gather(all_of(), all_of())) == 120
    assert len(await replayed(database)) == 120
    assert await desk.count(Wanted()) == (0, 0)


async def test_what_was_discarded_stays_with_its_reason_and_is_sent_only_by_force(database: Database) -> None:
    group = MessageBatches(database, Group.ORDER_FLOW, CountingStep(undecidable=[7]), new_id=uuid4)
    await group.handle([record(7)])
    (letter,) = await letters_of(database)
    desk = DeadLetterDesk(database)

    await desk.discard([letter.id], reason="made by hand")
    discarded = await desk.find(letter.id)
    refused = await desk.replay([letter.id, letter.id + 1])
    forced = await desk.replay([letter.id], again=True)

    assert discarded is not None
    assert (discarded.state, discarded.reason) == (LetterState.DISCARDED, "made by hand")
    assert [each.refusal is None for each in refused] == [False, False]
    assert forced[0].refusal is None
    assert len(await replayed(database)) == 1


async def test_pages_go_from_the_newest_to_the_oldest(database: Database) -> None:
    group = MessageBatches(database, Group.ORDER_FLOW, CountingStep(undecidable=range(5)), new_id=uuid4)
    await group.handle([record(number) for number in range(5)])
    desk = DeadLetterDesk(database)

    first = await desk.page(Wanted(), before=None, most=3)
    rest = await desk.page(Wanted(), before=first[-1].id, most=3)

    ids = [letter.id for letter in (*first, *rest)]
    assert ids == sorted(ids, reverse=True)
    assert len(set(ids)) == 5
    assert await desk.page(Wanted(topic=Topic.ORDER_CREATED), before=None, most=3) == []
    assert all(letter.payload is None for letter in first)


def test_the_command_works_on_the_real_rows(empty_tables: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment_of(empty_tables).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(dlt, "configure", lambda *_: None)
    asyncio.run(one_dead_letter(empty_tables))
    runner = CliRunner()

    listed = runner.invoke(dlt.main, ["list"]).stdout
    (letter_id,) = re.findall(r"^(\d+) ", listed, re.MULTILINE)
    shown = runner.invoke(dlt.main, ["show", letter_id]).stdout
    sent = runner.invoke(dlt.main, ["replay", letter_id, "--yes"])
    again = runner.invoke(dlt.main, ["replay", "--topic=stock-reserved", "--yes"])

    assert "stock-reserved" in listed
    assert "ZeroDivisionError" in shown
    assert sent.exit_code == 0
    assert sent.stdout.endswith("1 of 1 sent again\n")
    assert "nothing to send" in again.stdout


async def one_dead_letter(settings: Settings) -> None:
    database = Database(settings.mysql)
    try:
        group = MessageBatches(database, Group.ORDER_FLOW, CountingStep(undecidable=[7]), new_id=uuid4)
        await group.handle([record(7)])
    finally:
        await database.close()


def completed(number: int) -> bytes:
    line = OrderLine(product_id=1, quantity=1, unit_price=100)
    body = OrderCompleted(order_id=UUID(int=number), user_id=1, lines=(line,), total=100)
    return encode(Envelope(id=MessageId(UUID(int=1_000 + number)), occurred_at=datetime.now(UTC), body=body))


def unknown_version(number: int) -> bytes:
    return completed(number).replace(b'"version":1', b'"version":999')


def oversized(number: int) -> bytes:
    return completed(number) + b" " * LONGEST_MESSAGE_BYTES


@asynccontextmanager
async def consumer(settings: Settings) -> AsyncIterator[None]:
    stopping = asyncio.Event()
    async with parts_of(ConsumerName.POST_PROCESS, settings) as parts:
        runtime = assembled(ConsumerName.POST_PROCESS, parts)
        task = asyncio.create_task(runtime.run([Topic.ORDER_COMPLETED], stopping))
        try:
            yield
            stopping.set()
            async with asyncio.timeout(PATIENCE_SECONDS):
                await task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def letters_of(database: Database) -> list[DeadLetter]:
    """Return all with their payloads, the oldest first."""
    desk = DeadLetterDesk(database)
    page = await desk.page(EVERY_STATE, before=None, most=500)
    found = [await desk.find(letter.id) for letter in reversed(page)]
    return [letter for letter in found if letter is not None]


async def until_letters(database: Database, count: int) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            async with database.transaction() as connection:
                if len((await connection.execute(select(dead_letters.c.id))).all()) >= count:
                    return
            await asyncio.sleep(0.05)


async def replayed(database: Database) -> list[Record]:
    """Return what a replay stored for the relay, as the records that a group would read."""
    rows = [row for row in await outbox_rows(database) if (row.headers or {}).keys() == {"replay-of"}]
    return [
        replace(record(0), topic=row.topic, offset=10_000 + at, key=bytes(row.message_key), value=bytes(row.payload))
        for at, row in enumerate(rows)
    ]


def headers_of(message: "Message[bytes, bytes]") -> dict[str, str]:
    headers = dict(message.headers() or [])
    return {name: value.decode() for name, value in headers.items() if isinstance(value, bytes)}


def messages(kafka: KafkaSettings, topic: str) -> "list[Message[bytes, bytes]]":
    """Return everything in the topic's dead-letter topic."""
    reader = Consumer({"bootstrap.servers": kafka.servers, "group.id": "reader-of-letters", "log_level": 0})
    place = TopicPartition(dead_letter_topic(topic), 0, 0)
    try:
        _, end = reader.get_watermark_offsets(place, timeout=10)
        reader.assign([place])
        found = [reader.poll(10) for _ in range(end)]
    finally:
        reader.close()
    return [message for message in found if message is not None]
