"""Records, steps and readings for the tests of batches: a step's effect is a counter, so that doubling shows."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.contracts.bodies import AnyBody, StockReleased, StockReserved
from doorbuster.contracts.messages import Message, encode
from doorbuster.infra.batches.answers import Answer, Decided, Refused
from doorbuster.infra.batches.idempotency_keys import Keyed
from doorbuster.infra.kafka.records import Record
from doorbuster.infra.mysql.tables import idempotency_keys, outbox, processed_messages
from doorbuster.infra.mysql.transactions import Transactions
from doorbuster.kernel.deciding import deciding
from doorbuster.kernel.ids import MessageId

_COUNT = text(
    "INSERT INTO product_sales (product_id, units, orders, version) VALUES (1, :units, 0, 0)"
    " ON DUPLICATE KEY UPDATE units = units + :units"
)
_REFUSED_BY_THE_DATABASE = text(
    "INSERT INTO payments (order_id, status, updated_at) VALUES ('x', REPEAT('x', 17), NOW())"
)


def record(number: int, *, topic: str = "stock-reserved", value: bytes | None = None) -> Record:
    """Return a record with the message `number`, or with another value."""
    message = Message(
        id=MessageId(UUID(int=number)), occurred_at=datetime.now(UTC), body=StockReserved(order_id=UUID(int=number))
    )
    return Record(
        topic=topic,
        partition=0,
        offset=number,
        key=f"key-{number}".encode(),
        value=encode(message) if value is None else value,
        timestamp_ms=1,
    )


@dataclass
class CountingStep:
    """Counts messages in a row of the database, and sends an event for each.

    Attributes:
        undecidable: numbers of messages for which the decision raises.
        unstorable: numbers of messages whose values the database refuses.
        raises: what the step raises once, whatever is in the batch.
    """

    undecidable: Collection[int] = ()
    unstorable: Collection[int] = ()
    raises: list[Exception] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)

    async def __call__(
        self, connection: AsyncConnection, bodies: Sequence[AnyBody], now: datetime
    ) -> Sequence[AnyBody]:
        numbers = [body.key.int for body in bodies]
        self.batches.append(len(numbers))
        if self.raises:
            raise self.raises.pop()
        with deciding():
            _decide(numbers, self.undecidable)
        if any(number in self.unstorable for number in numbers):
            await connection.execute(_REFUSED_BY_THE_DATABASE)
        await connection.execute(_COUNT, {"units": len(numbers)})
        return [StockReleased(order_id=body.key) for body in bodies]


def _decide(numbers: Sequence[int], undecidable: Collection[int]) -> None:
    for number in numbers:
        if number in undecidable:
            raise ZeroDivisionError(f"message {number}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Buy:
    """A command of the tests."""

    number: int


def keyed(number: int, *, attempt: int, body: str = "body") -> Keyed[Buy]:
    """Return a command under the key `number`; the same `attempt` is the same request."""
    return Keyed(
        key_id=number.to_bytes(32, "big"),
        body_hash=body.encode().ljust(32),
        body_bytes=len(body),
        attempt=UUID(int=attempt),
        command=Buy(number=number),
    )


@dataclass
class BuyingStep:
    """Counts commands in a row of the database, answers each, and sends an event for what was done.

    Attributes:
        refused: numbers of commands with wrong values.
        sold_out: numbers of commands that are answered with 409.
        undecidable: numbers of commands for which the decision raises.
        unstorable: numbers of commands whose values the database refuses.
    """

    refused: Collection[int] = ()
    sold_out: Collection[int] = ()
    undecidable: Collection[int] = ()
    unstorable: Collection[int] = ()
    batches: list[list[int]] = field(default_factory=list)

    async def __call__(self, connection: AsyncConnection, commands: Sequence[Buy], now: datetime) -> Decided:
        numbers = [command.number for command in commands]
        self.batches.append(numbers)
        with deciding():
            _decide(numbers, self.undecidable)
        if any(number in self.unstorable for number in numbers):
            await connection.execute(_REFUSED_BY_THE_DATABASE)
        done = [number for number in numbers if number not in self.refused and number not in self.sold_out]
        await connection.execute(_COUNT, {"units": len(done)})
        return Decided(
            outcomes=[self._outcome(number) for number in numbers],
            events=[StockReserved(order_id=UUID(int=number)) for number in done],
        )

    def _outcome(self, number: int) -> Answer | Refused:
        if number in self.refused:
            return Refused(status=422, body=b"wrong")
        if number in self.sold_out:
            return Answer(status=409, body=b"sold-out")
        # With the number of its batch: an answer that was decided anew would be another one.
        return Answer(status=202, body=f"{number} in batch {len(self.batches)}".encode())


async def effects(database: Transactions) -> int:
    """Return how many messages or commands had their effect."""
    return int(await _scalar(database, text("SELECT COALESCE(SUM(units), 0) FROM product_sales")))


async def processed(database: Transactions) -> int:
    """Return how many processed ids there are."""
    return int(await _scalar(database, select(func.count()).select_from(processed_messages)))


async def stored_keys(database: Transactions) -> list[int]:
    """Return the numbers of the keys that are stored."""
    async with database.transaction() as connection:
        rows = await connection.execute(select(idempotency_keys.c.id).order_by(idempotency_keys.c.id))
        return [int.from_bytes(key, "big") for key in rows.scalars()]


async def outbox_rows(database: Transactions) -> Sequence[Row[Any]]:
    """Return all rows of the outbox in their order."""
    async with database.transaction() as connection:
        return (await connection.execute(select(outbox).order_by(outbox.c.seq))).all()


async def _scalar(database: Transactions, statement: Any) -> Any:
    async with database.transaction() as connection:
        return (await connection.execute(statement)).scalar_one()
