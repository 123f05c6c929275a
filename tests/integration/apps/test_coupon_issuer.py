"""What the issuer group makes of accepted issues, and a coupon's whole way through all processes."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from uuid import uuid4

import pytest
from sqlalchemy import insert, select

from doorbuster.bootstrap.batch_rows import rows_of_messages
from doorbuster.bootstrap.consumers import CONSUMERS, ConsumerName
from doorbuster.contracts.bodies import CouponIssued
from doorbuster.contracts.messages import Message, encode
from doorbuster.contracts.topics import Topic
from doorbuster.coupons.tables import coupon_issues
from doorbuster.infra.batches.message_batches import MessageBatches
from doorbuster.infra.kafka.records import BatchResult, Record
from doorbuster.infra.mysql.database import Database
from doorbuster.infra.mysql.transactions import database_time
from doorbuster.kernel.ids import MessageId
from tests.integration.apps.platform import SAGA_SECONDS, Platform
from tests.integration.apps.processes import SOURCES
from tests.integration.polling import seconds_until

pytestmark = pytest.mark.integration

JOB_SECONDS = 60


async def accepted(database: Database, users: int) -> Sequence[CouponIssued]:
    """Insert issues that are ACCEPTED; return what is told about them."""
    bodies = [CouponIssued(issue_id=uuid4(), coupon_id=1, user_id=user) for user in range(1, users + 1)]
    async with database.transaction() as connection:
        now = await database_time(connection)
        rows = [
            {"id": each.issue_id, "coupon_id": 1, "user_id": each.user_id, "status": "ACCEPTED", "created_at": now}
            for each in bodies
        ]
        await connection.execute(insert(coupon_issues), rows)
    return bodies


async def handle(database: Database, bodies: Sequence[CouponIssued]) -> BatchResult:
    """Hand the bodies to the group in messages of their own."""
    consumer = CONSUMERS[ConsumerName.COUPON_ISSUER]
    handler = MessageBatches(
        database, consumer.group, consumer.step, new_id=uuid4, rows_of=rows_of_messages(consumer.group)
    )
    async with database.reading() as connection:
        now = await database_time(connection)
    return await handler.handle(
        [
            Record(
                topic=Topic.COUPON_ISSUED,
                partition=0,
                offset=place,
                key=str(body.key).encode(),
                value=encode(Message(id=MessageId(uuid4()), occurred_at=now, body=body)),
                timestamp_ms=0,
            )
            for place, body in enumerate(bodies)
        ]
    )


async def states(database: Database) -> dict[int, tuple[str, object]]:
    async with database.reading() as connection:
        found = await connection.execute(
            select(coupon_issues.c.user_id, coupon_issues.c.status, coupon_issues.c.issued_at)
        )
        return {row.user_id: (row.status, row.issued_at) for row in found}


async def test_accepted_issues_become_issued(database: Database) -> None:
    bodies = await accepted(database, 200)

    assert await handle(database, bodies[:150]) == BatchResult(processed=150)

    found = await states(database)
    assert [found[user][0] for user in range(1, 201)] == ["ISSUED"] * 150 + ["ACCEPTED"] * 50
    assert all(found[user][1] is not None for user in range(1, 151))


async def test_what_is_told_again_under_another_id_changes_nothing(database: Database) -> None:
    bodies = await accepted(database, 3)
    await handle(database, bodies)
    before = await states(database)

    assert await handle(database, bodies) == BatchResult(processed=3)

    assert await states(database) == before


async def test_an_issue_that_is_not_there_is_no_reason_to_stop(database: Database) -> None:
    bodies = await accepted(database, 1)
    nobodys = CouponIssued(issue_id=uuid4(), coupon_id=1, user_id=9)

    assert await handle(database, [nobodys, *bodies]) == BatchResult(processed=2)

    assert {user: status for user, (status, _) in (await states(database)).items()} == {1: "ISSUED"}


def coupons_job(platform: Platform, *words: str) -> dict[str, object]:
    """Run the command as a person does, and return its one line."""
    environment = {**os.environ, **platform.environment, "PYTHONPATH": str(SOURCES)}
    argv = [sys.executable, "-m", "doorbuster.jobs.coupons", *words]
    done = subprocess.run(argv, env=environment, capture_output=True, check=False, timeout=JOB_SECONDS)
    assert done.returncode == 0, done.stderr.decode()
    document: dict[str, object] = json.loads(done.stdout)
    return document


def test_a_coupon_goes_its_whole_way(platform: Platform) -> None:
    made = coupons_job(platform, "create", "--name=Opening day", "--percentage=10", "--total=1")
    path = f"/api/v1/coupons/{made['id']}"
    winner, loser = platform.buyer(1).client, platform.buyer(2).client

    won = winner.post(f"{path}/issues")
    lost = loser.post(f"{path}/issues")

    assert (won.status_code, made["gate"]) == (202, "open")
    assert (lost.status_code, lost.json()["code"]) == (409, "sold-out")
    location = won.headers["Location"]
    seconds_until(
        lambda: winner.get(location).raise_for_status().json()["status"] == "ISSUED",
        within_seconds=SAGA_SECONDS,
        what="the issue is ISSUED",
    )
    assert loser.get(location).status_code == 404
    again = winner.post(f"{path}/issues")
    assert (again.json()["id"], again.headers["Idempotency-Replayed"]) == (won.json()["id"], "true")

    coupons_job(platform, "restock", f"--coupon={made['id']}", "--units=1")
    seconds_until(
        lambda: loser.post(f"{path}/issues").status_code == 202, within_seconds=10, what="the loser has one, too"
    )
    assert coupons_job(platform, "show", f"--coupon={made['id']}")["issued"] == 2
