"""What a real MySQL says of values that it can never store, and that this is poison (R7)."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from structlog.testing import capture_logs

from doorbuster.contracts.bodies import AnyBody
from doorbuster.contracts.topics import Group
from doorbuster.infra.batches.message_batches import MessageBatches
from doorbuster.infra.kafka.records import BatchResult
from doorbuster.infra.mysql.database import Database
from doorbuster.kernel.errors import DataRefused, PrimaryUnavailable
from tests.integration.apps.batch_steps import outbox_rows, record

pytestmark = pytest.mark.integration

NEGATIVE_STOCK = "INSERT INTO stock VALUES (1, 1, -1)"


@pytest.fixture(autouse=True)
def unprinted() -> Iterator[None]:
    """Nobody renders what is logged, which takes seconds where errors have causes."""
    with capture_logs():
        yield


async def execute(database: Database, statement: str) -> None:
    async with database.transaction() as connection:
        await connection.execute(text(statement))


@pytest.mark.parametrize(
    ("statement", "number", "sqlstate"),
    [
        (NEGATIVE_STOCK, 3819, "HY000"),
        ("INSERT INTO products VALUES (1, 'Lamp', 0, 1)", 3819, "HY000"),
        ("INSERT INTO stock VALUES (1, 'many', 1)", 1366, "HY000"),
        ("INSERT INTO products VALUES (1, _binary x'ff', 1, 1)", 1366, "HY000"),
        ("INSERT INTO stock VALUES (1, 9223372036854775808, 1)", 1264, "22003"),
        ("INSERT INTO products VALUES (1, REPEAT('x', 201), 1, 1)", 1406, "22001"),
        ("INSERT INTO counted_orders VALUES (REPEAT('x', 16), '2026-02-31')", 1292, "22007"),
        ("INSERT INTO deliveries (payload) VALUES ('{')", 3140, "22032"),
        ("INSERT INTO stock VALUES (1, NULL, 1)", 1048, "23000"),
        ("INSERT INTO stock VALUES (1, 1, 1), (1, 1, 1)", 1062, "23000"),
    ],
)
async def test_values_that_can_never_be_stored_are_refused(
    database: Database, statement: str, number: int, sqlstate: str
) -> None:
    with pytest.raises(DataRefused, match=f"MySQL error {number}, SQLSTATE {sqlstate}"):
        await execute(database, statement)


async def test_a_statement_that_leaves_out_a_column_is_our_fault_and_no_poison(database: Database) -> None:
    # The next release may mend it: 1364 has the general SQLSTATE too, and isn't on the list.
    with pytest.raises(PrimaryUnavailable, match="MySQL error 1364, SQLSTATE HY000"):
        await execute(database, "INSERT INTO stock (product_id) VALUES (1)")


async def test_a_message_that_violates_a_check_is_a_dead_letter_and_all_others_are_done(database: Database) -> None:
    async def step(connection: AsyncConnection, bodies: Sequence[AnyBody], now: datetime) -> Sequence[AnyBody]:
        if any(body.key.int == 7 for body in bodies):
            await connection.execute(text(NEGATIVE_STOCK))
        return ()

    handler = MessageBatches(database, Group.STOCK, step, new_id=uuid4)

    assert await handler.handle([record(number) for number in range(20)]) == BatchResult(processed=19, dead_letters=1)
    assert [(row.topic, row.message_key) for row in await outbox_rows(database)] == [("stock-reserved.dlt", b"key-7")]
