"""Commands without keys: their batches, and what becomes of one whose COMMIT nobody answered."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.infra.batches.repeatable_commands import RepeatableCommands
from doorbuster.kernel.errors import DataRefused, DoorbusterError, NotAccepted, OutcomeUnknown, Overloaded

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Moment:
    def scalar_one(self) -> datetime:
        return NOW


class Connection:
    async def execute(self, _statement: Any) -> Moment:
        return Moment()


@dataclass
class Transactions:
    """Transactions that end as they are told to, each with the next of `endings`; None is a COMMIT."""

    endings: list[DoorbusterError | None] = field(default_factory=list)
    begun: int = 0

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        self.begun += 1
        yield cast("AsyncConnection", Connection())
        ending = self.endings.pop(0) if self.endings else None
        if ending is not None:
            raise ending


@dataclass
class Step:
    poison: frozenset[int] = frozenset()
    batches: list[Sequence[int]] = field(default_factory=list)

    async def __call__(self, connection: AsyncConnection, commands: Sequence[int], now: datetime) -> Sequence[str]:
        del connection
        assert now == NOW
        self.batches.append(list(commands))
        if self.poison & set(commands):
            raise DataRefused("3819")
        return [f"done {command}" for command in commands]


def commands(database: Transactions, step: Step, deadline_seconds: float = 5.0) -> RepeatableCommands[int, str]:
    return RepeatableCommands(database, step, name="test", deadline_seconds=deadline_seconds, rows_of=lambda _: 1)


async def test_what_comes_together_is_one_transaction() -> None:
    database, step = Transactions(), Step()
    running = commands(database, step)

    outcomes = await asyncio.gather(*(running.run(number, user=number) for number in (3, 1, 2)))

    assert outcomes == ["done 3", "done 1", "done 2"]
    assert (step.batches, database.begun) == ([[3, 1, 2]], 1)


@pytest.mark.parametrize("second", [None, NotAccepted("lock")])
async def test_an_unknown_outcome_is_tried_again_as_the_same_batch(second: DoorbusterError | None) -> None:
    database, step = Transactions(endings=[OutcomeUnknown("commit"), second, None]), Step()
    running = commands(database, step)

    outcomes = await asyncio.gather(*(running.run(number, user=number) for number in (1, 2)))

    assert outcomes == ["done 1", "done 2"]
    assert step.batches == [[1, 2]] * (2 if second is None else 3)


async def test_what_stays_unknown_is_said_to_be() -> None:
    running = commands(Transactions(endings=[OutcomeUnknown("commit")] * 100), Step(), deadline_seconds=0.05)

    with pytest.raises(OutcomeUnknown):
        await running.run(1, user=1)
    await running.drain()


async def test_what_was_not_accepted_is_not_tried_again() -> None:
    database = Transactions(endings=[NotAccepted("lock")])
    running = commands(database, Step())

    with pytest.raises(NotAccepted):
        await running.run(1, user=1)
    assert database.begun == 1


async def test_a_command_that_can_never_succeed_fails_alone() -> None:
    running = commands(Transactions(), Step(poison=frozenset({2})))

    outcomes = await asyncio.gather(*(running.run(number, user=number) for number in (1, 2, 3)), return_exceptions=True)

    assert outcomes[::2] == ["done 1", "done 3"]
    assert isinstance(outcomes[1], DataRefused)


async def test_after_the_drain_nothing_is_taken() -> None:
    running = commands(Transactions(), Step())
    await running.drain()

    with pytest.raises(Overloaded):
        await running.run(1, user=1)
