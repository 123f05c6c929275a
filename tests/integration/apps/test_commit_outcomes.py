import asyncio
import random
import time
from collections.abc import AsyncIterator, Sequence

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.infra.mysql.database import Database
from doorbuster.kernel.errors import OutcomeUnknown, PrimaryUnavailable
from doorbuster.settings import Settings
from tests.integration.apps.proxied_database import (
    PATIENCE_SECONDS,
    TRANSACTION_SECONDS,
    Place,
    driver_of,
    insert,
    proxied,
    until,
)
from tests.integration.apps.writers import Writer, assert_exactly_once, create_tables, drop_tables, new_writers
from tests.integration.tcp_proxy import CommitFate

pytestmark = pytest.mark.integration

STORM_WRITERS = 8
STORM_EVENTS = 40


@pytest.fixture
async def place(settings: Settings) -> AsyncIterator[Place]:
    async with proxied(settings) as place:
        yield place


async def test_a_commit_whose_answer_is_lost_is_unknown_and_may_be_repeated(place: Place) -> None:
    place.proxy.next_commit = CommitFate.ANSWER_LOST
    with pytest.raises(OutcomeUnknown):
        await place.insert(7)
    assert await place.numbers() == [7]

    await place.insert(7)

    assert await place.numbers() == [7]


async def test_a_commit_that_got_lost_is_unknown_and_may_be_repeated(place: Place) -> None:
    place.proxy.next_commit = CommitFate.NEVER_SENT
    with pytest.raises(OutcomeUnknown):
        await place.insert(7)
    assert await place.numbers() == []

    await place.insert(7)

    assert await place.numbers() == [7]


async def test_a_commit_without_an_answer_in_time_is_unknown_and_its_connection_is_dropped(place: Place) -> None:
    place.proxy.next_commit = CommitFate.ANSWER_HELD
    started = time.monotonic()

    with pytest.raises(OutcomeUnknown):
        await place.insert(7)

    assert TRANSACTION_SECONDS <= time.monotonic() - started < 2 * TRANSACTION_SECONDS
    accepted = place.proxy.accepted
    assert await place.numbers() == [7]
    assert place.proxy.accepted > accepted


async def test_a_connection_that_is_cut_during_statements_wrote_nothing(place: Place) -> None:
    async def cut_and_go_on(connection: AsyncConnection) -> None:
        place.proxy.cut()
        await insert(connection, 2)

    with pytest.raises(PrimaryUnavailable):
        await place.insert_then(cut_and_go_on)

    assert await place.numbers() == []


async def test_a_connection_that_is_known_to_be_cut_before_commit_wrote_nothing(place: Place) -> None:
    async def cut_and_notice(connection: AsyncConnection) -> None:
        driver = await driver_of(connection)
        place.proxy.cut()
        await until(lambda: not driver.usable)

    with pytest.raises(PrimaryUnavailable):
        await place.insert_then(cut_and_notice)

    assert await place.numbers() == []


async def test_an_idle_connection_that_was_cut_is_replaced_unseen(place: Place) -> None:
    await place.insert(1)
    async with place.database.transaction() as connection:
        driver = await driver_of(connection)
    place.proxy.cut()
    await until(lambda: not driver.usable)

    await place.insert(2)

    assert await place.numbers() == [1, 2]


async def test_a_server_that_falls_silent_is_given_up_in_time_and_used_when_it_is_back(place: Place) -> None:
    await place.insert(1)
    place.proxy.passing.clear()
    started = time.monotonic()
    with pytest.raises(PrimaryUnavailable):
        await place.insert(2)
    assert time.monotonic() - started < 2 * TRANSACTION_SECONDS
    assert place.database.state().primary is None

    place.proxy.passing.set()
    await place.insert(3)

    # What was sent into the silence may arrive, but never its COMMIT.
    assert await place.numbers() == [1, 3]


async def test_a_cancellation_during_commit_comes_after_its_answer(place: Place) -> None:
    place.proxy.next_commit = CommitFate.ANSWER_HELD
    steps: list[str] = []

    async def write() -> None:
        await place.insert(7)
        steps.append("committed")
        await asyncio.sleep(PATIENCE_SECONDS)
        steps.append("went on")

    task = asyncio.create_task(write())
    await place.proxy.commit_answered.wait()
    task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    place.proxy.release()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert steps == ["committed"]
    assert await place.numbers() == [7]


async def test_a_cancellation_during_a_commit_without_answer_does_not_hide_that_its_outcome_is_unknown(
    place: Place,
) -> None:
    place.proxy.next_commit = CommitFate.ANSWER_HELD
    task = asyncio.create_task(place.insert(7))
    await place.proxy.commit_answered.wait()
    task.cancel()

    with pytest.raises(OutcomeUnknown):
        await task


# What a primary says that was expelled between the group's decision and its own commit.
ROLLED_BACK_AT_COMMIT = b"\xff\x1d\x0c#40000Plugin instructed the server to rollback the current transaction."


def packet(payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "little") + b"\x01" + payload


@pytest.mark.parametrize("cancelled", [False, True])
async def test_a_commit_that_one_member_says_it_rolled_back_is_unknown(place: Place, *, cancelled: bool) -> None:
    place.proxy.next_commit = CommitFate.ANSWER_HELD
    place.proxy.held_answer = packet(ROLLED_BACK_AT_COMMIT)
    task = asyncio.create_task(place.insert(7))
    await place.proxy.commit_answered.wait()
    if cancelled:
        task.cancel()
        await asyncio.sleep(0)
    place.proxy.release()

    with pytest.raises(OutcomeUnknown) as caught:
        await task

    assert "3101" in str(caught.value.__cause__)
    assert place.database.state().primary is None


async def test_a_timeout_during_commit_ends_with_the_scope_that_set_it(place: Place) -> None:
    place.proxy.next_commit = CommitFate.ANSWER_HELD
    scope = asyncio.timeout(None)

    async def write() -> None:
        with pytest.raises(OutcomeUnknown):
            async with scope:
                await place.insert(7)
        # A cancellation that is left over would come here.
        await asyncio.sleep(0)

    task = asyncio.create_task(write())
    await place.proxy.commit_answered.wait()
    scope.reschedule(asyncio.get_running_loop().time())
    await task

    assert await place.numbers() == [7]


async def test_a_cancellation_during_statements_drops_the_connection_and_writes_nothing(place: Place) -> None:
    async def wait(connection: AsyncConnection) -> None:
        await connection.execute(text("DO SLEEP(0.4)"))

    task = asyncio.create_task(place.insert_then(wait))
    await until(lambda: b"DO SLEEP(0.4)" in place.proxy.commands)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert place.database.state().checked_out == 0
    assert await place.numbers() == []


async def until_some_more(writers: Sequence[Writer]) -> None:
    before = sum(writer.acknowledged for writer in writers)
    await until(lambda: sum(writer.acknowledged for writer in writers) > before + 2)


async def test_a_storm_of_cuts_and_lost_answers_loses_and_repeats_nothing(place: Place, settings: Settings) -> None:
    patient = Database(settings.mysql)
    await create_tables(patient, writers=STORM_WRITERS)
    writers = new_writers(place.database, STORM_WRITERS)
    tasks = [asyncio.create_task(writer.write()) for writer in writers]
    storm = random.Random(7)

    for _ in range(STORM_EVENTS):
        await until_some_more(writers)
        place.proxy.next_commit = storm.choice([CommitFate.ANSWER_LOST, CommitFate.NEVER_SENT])
        if storm.random() < 0.3:
            place.proxy.cut()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

    assert sum(writer.unknown for writer in writers) > 0
    assert place.database.state().checked_out == 0
    await assert_exactly_once(patient, writers)
    await drop_tables(patient)
    await patient.close()
