"""Rows that are old enough go, and no others (R1, R9, R12)."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import insert, select, text

from doorbuster.infra.mysql.database import Database
from doorbuster.infra.mysql.tables import dead_letters, idempotency_keys, outbox, processed_messages
from doorbuster.infra.mysql.transactions import database_time
from doorbuster.infra.outbox.retention import DEAD_LETTERS_KEPT, KEYS_KEPT, PROCESSED_IDS_KEPT, PUBLISHED_KEPT, purge

pytestmark = pytest.mark.integration

TICK = timedelta(seconds=1)
NOTHING = {"idempotency_keys": 0, "outbox": 0, "processed_messages": 0, "dead_letters": 0}


async def _now(database: Database) -> datetime:
    async with database.transaction() as connection:
        return await database_time(connection)


async def test_keys_go_after_a_day(database: Database) -> None:
    now = await _now(database)
    ages = [timedelta(0), KEYS_KEPT - TICK, KEYS_KEPT + TICK]
    async with database.transaction() as connection:
        await connection.execute(
            insert(idempotency_keys),
            [{"id": bytes([at] * 32), "attempt": UUID(int=at), "body_hash": bytes(32), "created_at": now - age}
             for at, age in enumerate(ages)],
        )  # fmt: skip
    assert await purge(database, now) == {**NOTHING, "idempotency_keys": 1}
    async with database.transaction() as connection:
        left = (await connection.execute(select(idempotency_keys.c.attempt))).scalars().all()
    assert {attempt.int for attempt in left} == {0, 1}


async def test_published_messages_go_and_waiting_ones_stay_however_old(database: Database) -> None:
    now = await _now(database)
    old, recent = now - PUBLISHED_KEPT - TICK, now - PUBLISHED_KEPT + TICK
    async with database.transaction() as connection:
        await connection.execute(
            insert(outbox),
            [{"topic": "t", "message_key": key, "message_type": "t", "payload": b"", "created_at": old - TICK,
              "published_at": published}
             for key, published in ((b"old", old), (b"recent", recent), (b"waits", None))],
        )  # fmt: skip
    assert await purge(database, now) == {**NOTHING, "outbox": 1}
    async with database.transaction() as connection:
        left = (await connection.execute(select(outbox.c.message_key))).scalars().all()
    assert sorted(left) == [b"recent", b"waits"]


async def test_processed_ids_go_after_ten_days_in_chunks(database: Database) -> None:
    now = await _now(database)
    rows = [
        {"consumer_group": "g", "message_id": UUID(int=at), "processed_at": now - PROCESSED_IDS_KEPT - TICK}
        for at in range(2_500)
    ]
    recent = {"consumer_group": "g", "message_id": UUID(int=9_999), "processed_at": now - PROCESSED_IDS_KEPT + TICK}
    async with database.transaction() as connection:
        await connection.execute(insert(processed_messages), [*rows, recent])
    assert await purge(database, now) == {**NOTHING, "processed_messages": 2_500}
    assert await purge(database, now) == NOTHING


async def test_dead_letters_go_after_ten_days_whatever_was_decided(database: Database) -> None:
    now = await _now(database)
    rows: list[dict[str, object]] = [
        {"source_topic": "t", "source_partition": 0, "source_offset": at, "consumer_group": "g", "message_key": b"",
         "payload": b"{", "headers": {}, "created_at": now - DEAD_LETTERS_KEPT - TICK * (1 if at else -1),
         "state": "open" if at % 2 else "replayed", "replays": 0}
        for at in range(120)
    ]  # fmt: skip
    async with database.transaction() as connection:
        await connection.execute(insert(dead_letters), rows)
    assert await purge(database, now) == {**NOTHING, "dead_letters": 119}


async def test_rows_that_batches_hold_are_not_waited_for(database: Database) -> None:
    now = await _now(database)
    row = {"consumer_group": "g", "message_id": UUID(int=1), "processed_at": now}
    async with database.transaction() as connection:
        await connection.execute(insert(processed_messages), [row])
    async with database.transaction() as connection:
        await connection.execute(text("SELECT * FROM processed_messages FOR UPDATE"))
        assert await purge(database, now) == NOTHING
