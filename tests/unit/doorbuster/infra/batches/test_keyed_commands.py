import asyncio
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import pytest

from doorbuster.infra.batches.answers import Answer, Outcome, Refused
from doorbuster.infra.batches.idempotency_keys import Keyed
from doorbuster.infra.batches.in_flight import KeyInFlight
from doorbuster.infra.batches.keyed_commands import NOT_WITHOUT_BROKER, KeyedCommands
from doorbuster.kernel.errors import BrokerUnavailable, DoorbusterError, NotAccepted, Overloaded

DONE = Answer(status=201, body=b"{}")


def keyed(name: str) -> Keyed[str]:
    return Keyed(key_id=name.encode(), body_hash=b"", body_bytes=0, attempt=UUID(int=1), command=name)


async def outcomes_by_name(batch: Sequence[Keyed[str]]) -> Sequence[Outcome | DoorbusterError]:
    special: dict[str, Outcome | DoorbusterError] = {"closed": NOT_WITHOUT_BROKER, "locked": NotAccepted("lock")}
    return [special.get(each.command, DONE) for each in batch]


def commands() -> KeyedCommands[str]:
    return KeyedCommands(outcomes_by_name, name="test", deadline_seconds=5, rows_of=lambda _: 0)


async def test_each_command_gets_its_own_outcome() -> None:
    running = commands()

    results = await asyncio.gather(
        running.run(keyed("good"), user=1),
        running.run(keyed("closed"), user=2),
        running.run(keyed("locked"), user=3),
        return_exceptions=True,
    )

    assert results[0] == DONE
    assert [type(result) for result in results[1:]] == [BrokerUnavailable, NotAccepted]


async def test_the_same_key_twice_at_once_is_in_flight() -> None:
    running = commands()

    results = await asyncio.gather(
        running.run(keyed("good"), user=1), running.run(keyed("good"), user=1), return_exceptions=True
    )

    assert [type(result) for result in results] == [Answer, KeyInFlight]


@pytest.mark.parametrize(("body_bytes", "rows"), [(600 * 1024, 1), (1, 1_200)])
async def test_a_batch_ends_at_a_mebibyte_or_two_thousand_rows(body_bytes: int, rows: int) -> None:
    batches: list[list[str]] = []

    async def run_batch(batch: Sequence[Keyed[str]]) -> Sequence[Outcome | DoorbusterError]:
        batches.append([each.command for each in batch])
        return [DONE] * len(batch)

    running = KeyedCommands(run_batch, name="test", deadline_seconds=5, rows_of=lambda _: rows)
    large = [replace(keyed(name), body_bytes=body_bytes) for name in ("first", "second")]

    await asyncio.gather(*(running.run(each, user=1) for each in large))

    assert batches == [["first"], ["second"]]


async def test_after_draining_nothing_is_taken() -> None:
    running = commands()
    await running.drain()

    with pytest.raises(Overloaded):
        await running.run(keyed("good"), user=1)


async def test_what_is_refused_early_comes_into_no_batch_and_its_key_is_free_again() -> None:
    refused = Refused(status=409, body=b"sold-out")
    answers: list[Refused | None] = [refused, None]
    batches: list[int] = []

    async def refuse(_keyed: Keyed[str]) -> Refused | None:
        return answers.pop(0)

    async def run_batch(batch: Sequence[Keyed[str]]) -> Sequence[Outcome | DoorbusterError]:
        batches.append(len(batch))
        return [DONE] * len(batch)

    running = KeyedCommands(run_batch, name="test", deadline_seconds=5, rows_of=lambda _: 0, refuse=refuse)

    assert [await running.run(keyed("good"), user=1) for _ in range(2)] == [refused, DONE]
    assert batches == [1]


async def test_a_key_is_held_while_it_is_decided_whether_to_refuse() -> None:
    deciding = asyncio.Event()

    async def refuse(_keyed: Keyed[str]) -> Refused | None:
        await deciding.wait()
        return None

    running = KeyedCommands(outcomes_by_name, name="test", deadline_seconds=5, rows_of=lambda _: 0, refuse=refuse)
    first = asyncio.create_task(running.run(keyed("good"), user=1))
    await asyncio.sleep(0)
    with pytest.raises(KeyInFlight):
        await running.run(keyed("good"), user=1)
    deciding.set()

    assert await first == DONE
