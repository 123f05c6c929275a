"""Poison in every topic of every group, and what isn't theirs: a dead letter that says why, and they go on (R7)."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from structlog.testing import capture_logs

from doorbuster.bootstrap.batch_rows import rows_of_messages
from doorbuster.bootstrap.consumers import CONSUMERS, ConsumerName, parts_of
from doorbuster.consumers.__main__ import assembled
from doorbuster.contracts.bodies import (
    AnyBody,
    Body,
    CouponIssued,
    CouponNone,
    OrderCancelled,
    OrderCompleted,
    OrderCreated,
    OrderDataReady,
    OrderLine,
    PaymentPaid,
    PaymentRequested,
    StockReserved,
)
from doorbuster.contracts.messages import LONGEST_MESSAGE_BYTES, Message, encode
from doorbuster.contracts.topics import READ_BY, Group, Topic, dead_letter_topic
from doorbuster.infra.batches.letter_decisions import DeadLetter
from doorbuster.infra.batches.message_batches import MessageBatches
from doorbuster.infra.faults.poison import PoisonKind, poisoned
from doorbuster.infra.kafka.records import BatchResult, Record
from doorbuster.infra.mysql.database import Database
from doorbuster.infra.mysql.transactions import database_time
from doorbuster.kernel.ids import MessageId, OrderId, UserId
from doorbuster.orders.model import Order, begin
from doorbuster.orders.repository import MySqlOrderRepository
from doorbuster.settings import Settings
from tests.integration.apps.batch_steps import outbox_rows, processed
from tests.integration.apps.kafka_topics import produce
from tests.integration.apps.test_dead_letter_desk import letters_of, until_letters

pytestmark = pytest.mark.integration

PATIENCE_SECONDS = 60.0
ID = OrderId(UUID(int=1))
LINE = OrderLine(product_id=1, quantity=1, unit_price=100)
# What each topic carries: about an order that the flow manager knows and nobody else has heard of.
GOOD: Mapping[Topic, AnyBody] = {
    Topic.ORDER_CREATED: OrderCreated(order_id=ID, user_id=1, lines=(LINE,), total=100),
    Topic.STOCK_RESERVED: StockReserved(order_id=ID),
    Topic.COUPON_USED: CouponNone(order_id=ID),
    Topic.PROCESS_PAYMENT: PaymentRequested(order_id=ID, user_id=1, amount=100),
    Topic.PAYMENT_RESULT: PaymentPaid(order_id=ID),
    Topic.ORDER_CANCELLED: OrderCancelled(order_id=ID, reason="deadline"),
    Topic.ORDER_COMPLETED: OrderCompleted(order_id=ID, user_id=1, lines=(LINE,), total=100),
    Topic.SEND_ORDER_DATA: OrderDataReady(order_id=ID, user_id=1, lines=(LINE,), total=100),
    Topic.COUPON_ISSUED: CouponIssued(issue_id=UUID(int=2), coupon_id=1, user_id=1),
}
PLACES = [(name, topic) for name in ConsumerName for topic in CONSUMERS[name].topics]
CAUSES = {
    PoisonKind.MALFORMED: ("truncated", "msgspec.DecodeError"),
    PoisonKind.UNKNOWN_VERSION: ("in version 999 is unknown", "doorbuster.kernel.errors.UnknownMessage"),
    PoisonKind.OVERSIZED: ("bytes are too many", "doorbuster.kernel.errors.UndecodableMessage"),
}


@pytest.fixture(autouse=True)
def unprinted() -> Iterator[None]:
    """Nobody renders what is logged, which takes seconds where errors have causes."""
    with capture_logs():
        yield


@pytest.fixture
async def ordered(database: Database) -> Database:
    """A database in which the order waits for its payment's answer."""
    async with database.transaction() as connection:
        now = await database_time(connection)
        order = Order(id=ID, user_id=UserId(1), lines=(LINE,), total=100, created_at=now)
        await MySqlOrderRepository(connection).add([begin(order)])
    flow = handler(database, ConsumerName.ORDER_FLOW)
    answers = [good(Topic.STOCK_RESERVED, offset=1), good(Topic.COUPON_USED, offset=2)]
    assert await flow.handle(answers) == BatchResult(processed=2)
    return database


def handler(database: Database, name: ConsumerName) -> MessageBatches:
    consumer = CONSUMERS[name]
    return MessageBatches(
        database, consumer.group, consumer.step, new_id=uuid4, rows_of=rows_of_messages(consumer.group)
    )


def bad_value(kind: PoisonKind) -> bytes:
    return poisoned(kind, message_id=uuid4(), order_id=uuid4(), now=datetime.now(UTC))


def value_of(body: AnyBody) -> bytes:
    return encode(Message(id=MessageId(uuid4()), occurred_at=datetime.now(UTC), body=body))


def good(topic: Topic, *, offset: int) -> Record:
    value = value_of(GOOD[topic])
    return Record(topic=topic, partition=0, offset=offset, key=str(ID).encode(), value=value, timestamp_ms=1)


async def the_only_letter(database: Database) -> DeadLetter:
    (letter,) = await letters_of(database)
    return letter


def test_every_group_and_topic_has_a_place_here() -> None:
    assert {(CONSUMERS[name].group, topic) for name, topic in PLACES} == {
        (group, topic) for group, topics in READ_BY.items() for topic in topics
    }
    assert {topic for _, topic in PLACES} == GOOD.keys() == set(Topic)
    assert {CONSUMERS[name].group for name, _ in PLACES} == set(Group)
    assert all(body.topic == topic for topic, body in GOOD.items())


@pytest.mark.parametrize("kind", PoisonKind)
@pytest.mark.parametrize(("name", "topic"), PLACES)
async def test_poison_says_why_and_where_and_its_neighbours_are_done(
    ordered: Database, name: ConsumerName, topic: Topic, kind: PoisonKind
) -> None:
    before = await processed(ordered)
    bad = replace(good(topic, offset=8), partition=2, value=bad_value(kind))
    batch = [good(topic, offset=7), bad, good(topic, offset=9)]

    assert await handler(ordered, name).handle(batch) == BatchResult(processed=2, dead_letters=1)

    letter = await the_only_letter(ordered)
    cause, exception = CAUSES[kind]
    assert (letter.topic, letter.partition, letter.offset, letter.group) == (topic, 2, 8, CONSUMERS[name].group)
    assert letter.payload == (bad.value or b"")[:LONGEST_MESSAGE_BYTES]
    assert cause in letter.headers["cause"]
    assert (letter.headers["exception"], len(letter.headers["stack-digest"])) == (exception, 64)
    (sent,) = [row for row in await outbox_rows(ordered) if row.topic == dead_letter_topic(topic)]
    source = {key: sent.headers[f"source-{key}"] for key in ("topic", "partition", "offset")}
    assert source == {"topic": topic.value, "partition": "2", "offset": "8"}
    assert await processed(ordered) == before + 3
    # Read again, also by another process of the group: it is given up once.
    assert await handler(ordered, name).handle(batch) == BatchResult(processed=0, duplicates=3)


@pytest.mark.parametrize(("name", "topic"), PLACES)
async def test_a_good_message_of_another_kind_is_no_groups_business(
    ordered: Database, name: ConsumerName, topic: Topic
) -> None:
    """A coupon's issue in a topic of the saga, or the other way round: known, in good form, and not for this group."""
    foreign = StockReserved(order_id=ID) if topic is Topic.COUPON_ISSUED else GOOD[Topic.COUPON_ISSUED]
    assert isinstance(foreign, Body) is (topic is Topic.COUPON_ISSUED)
    bad = replace(good(topic, offset=8), value=value_of(foreign))

    result = await handler(ordered, name).handle([good(topic, offset=7), bad, good(topic, offset=9)])

    assert result == BatchResult(processed=2, dead_letters=1)
    letter = await the_only_letter(ordered)
    assert (letter.topic, letter.offset, letter.group) == (topic, 8, CONSUMERS[name].group)
    assert letter.headers["exception"] == "doorbuster.kernel.errors.UnknownMessage"


@asynccontextmanager
async def every_consumer(settings: Settings) -> AsyncIterator[None]:
    """Run one member of each group as its process does."""
    stopping = asyncio.Event()
    async with AsyncExitStack() as stack:
        runtimes = [
            (CONSUMERS[name].topics, assembled(name, await stack.enter_async_context(parts_of(name, settings))))
            for name in ConsumerName
        ]
        tasks = [asyncio.create_task(runtime.run(topics, stopping)) for topics, runtime in runtimes]
        try:
            yield
            stopping.set()
            async with asyncio.timeout(PATIENCE_SECONDS):
                await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def until_processed(database: Database, wanted: int) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            if await processed(database) >= wanted:
                return
            await asyncio.sleep(0.05)


async def test_all_groups_at_once_give_up_all_poison_of_a_real_broker_and_go_on(
    settings: Settings, topics: frozenset[str], ordered: Database
) -> None:
    before = await processed(ordered)
    for topic in Topic:
        values: Sequence[bytes] = [*(bad_value(kind) for kind in PoisonKind), value_of(GOOD[topic])]
        produce(settings.kafka, topic, [(0, value) for value in values])

    async with every_consumer(settings):
        await until_letters(ordered, len(PLACES) * len(PoisonKind))
        # The last record of each partition is a good one.
        await until_processed(ordered, before + len(PLACES) * (len(PoisonKind) + 1))

    assert topics
    found = Counter((letter.group, letter.topic) for letter in await letters_of(ordered))
    assert found == {(CONSUMERS[name].group, topic): len(PoisonKind) for name, topic in PLACES}
