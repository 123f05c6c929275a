"""Batches of commands under idempotency keys on a real MySQL: one effect a key, and the same answer to every repeat."""

import asyncio
import random
from collections.abc import Iterator, MutableMapping, Sequence
from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from doorbuster.infra.batches.answers import Answer, BodyMismatch, Refused
from doorbuster.infra.batches.idempotent_batches import IdempotentBatches
from doorbuster.infra.mysql.database import Database
from doorbuster.infra.mysql.transactions import Transactions
from doorbuster.kernel.errors import DataRefused, DecisionFailed, NotAccepted, OutcomeUnknown, PrimaryUnavailable
from doorbuster.settings import Settings
from tests.integration.apps.batch_steps import Buy, BuyingStep, effects, keyed, outbox_rows, stored_keys
from tests.integration.apps.counted_statements import CountedStatements
from tests.integration.apps.deadlocks import deadlocks
from tests.integration.apps.lost_answers import Fate, LostAnswers

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[MutableMapping[str, Any]]]:
    """What was logged; nobody renders it, which takes seconds where errors have causes."""
    with capture_logs() as entries:
        yield entries


def batches(database: Transactions, step: BuyingStep, *, settle_seconds: float = 5.0) -> IdempotentBatches[Buy]:
    return IdempotentBatches(database, step, uuid4, settle_seconds=settle_seconds)


async def test_every_command_has_its_answer_in_the_order_of_the_batch(database: Database) -> None:
    step = BuyingStep(sold_out=[2])
    outcomes = await batches(database, step).run([keyed(number, attempt=number) for number in (3, 1, 2)])
    assert outcomes == [
        Answer(status=202, body=b"3 in batch 1"),
        Answer(status=202, body=b"1 in batch 1"),
        Answer(status=409, body=b"sold-out"),
    ]
    assert step.batches == [[3, 1, 2]]
    assert await effects(database) == 2
    assert await stored_keys(database) == [1, 2, 3]
    assert [row.message_type for row in await outbox_rows(database)] == ["stock.reserved"] * 2


async def test_a_large_batch_costs_as_many_statements_as_a_small_one(database: Database) -> None:
    counted = CountedStatements(database)
    handler = batches(counted, BuyingStep(refused=[2, 100, 101]))
    await handler.run([keyed(number, attempt=number) for number in (1, 2, 3)])
    await handler.run([keyed(number, attempt=number) for number in range(10, 210)])
    # The time, keys, their rows, the step's one, answers, the keys of the refused, events.
    assert counted.statements == [7, 7]
    await handler.run([keyed(number, attempt=number + 1000) for number in range(10, 100)])
    assert counted.statements[2:] == [3]


async def test_no_commands_are_no_transaction(database: Database) -> None:
    counted = LostAnswers(database, [])
    assert list(await batches(counted, BuyingStep()).run([])) == []
    assert counted.transactions == 0


async def test_a_repeat_gets_the_stored_answer_and_no_second_effect(database: Database) -> None:
    step = BuyingStep(sold_out=[2])
    first = await batches(database, step).run([keyed(1, attempt=1), keyed(2, attempt=2)])
    again = await batches(database, step).run([keyed(2, attempt=4), keyed(3, attempt=5), keyed(1, attempt=3)])
    assert [again[2], again[0]] == list(first)
    assert again[1] == Answer(status=202, body=b"3 in batch 2")
    assert step.batches == [[1, 2], [3]]
    assert await effects(database) == 2


async def test_the_relay_is_told_of_stored_messages_and_of_nothing_else(database: Database) -> None:
    told: list[str] = []
    handler = IdempotentBatches(database, BuyingStep(sold_out=[2]), uuid4, stored=lambda: told.append("stored"))

    await handler.run([keyed(2, attempt=1)])
    assert told == []
    await handler.run([keyed(1, attempt=2), keyed(3, attempt=3)])
    await handler.run([keyed(1, attempt=4)])

    assert told == ["stored"]


async def test_a_batch_of_nothing_but_repeats_takes_no_step(database: Database) -> None:
    step = BuyingStep()
    await batches(database, step).run([keyed(1, attempt=1)])
    await batches(database, step).run([keyed(1, attempt=2)])
    assert step.batches == [[1]]


async def test_another_body_under_a_known_key_is_a_mismatch(database: Database) -> None:
    step = BuyingStep()
    await batches(database, step).run([keyed(1, attempt=1)])
    assert await batches(database, step).run([keyed(1, attempt=2, body="other")]) == [BodyMismatch()]
    assert await effects(database) == 1


async def test_a_refused_command_leaves_no_key_and_may_come_again(database: Database) -> None:
    outcomes = await batches(database, BuyingStep(refused=[1])).run([keyed(1, attempt=1), keyed(2, attempt=2)])
    assert outcomes[0] == Refused(status=422, body=b"wrong")
    assert await stored_keys(database) == [2]
    mended = await batches(database, BuyingStep()).run([keyed(1, attempt=3, body="mended")])
    assert mended == [Answer(status=202, body=b"1 in batch 1")]
    assert await effects(database) == 2


async def test_the_second_of_two_with_one_key_in_a_batch_is_a_repeat_of_the_first(database: Database) -> None:
    step = BuyingStep()
    outcomes = await batches(database, step).run(
        [keyed(1, attempt=1), keyed(2, attempt=2), keyed(1, attempt=3), keyed(1, attempt=4, body="other")]
    )
    assert outcomes[0] == outcomes[2] == Answer(status=202, body=b"1 in batch 1")
    assert outcomes[3] == BodyMismatch()
    assert step.batches == [[1, 2]]
    assert await effects(database) == 2


async def test_two_in_a_batch_with_a_known_key_are_each_compared_with_what_is_stored(database: Database) -> None:
    step = BuyingStep()
    await batches(database, step).run([keyed(1, attempt=1)])
    outcomes = await batches(database, step).run([keyed(1, attempt=2, body="other"), keyed(1, attempt=3)])
    assert outcomes == [BodyMismatch(), Answer(status=202, body=b"1 in batch 1")]


async def test_one_key_in_two_processes_at_once_has_one_effect_and_one_answer(empty_tables: Settings) -> None:
    before = deadlocks()
    dice = random.Random(11)
    async with AsyncExitStack() as stack:
        processes = [Database(empty_tables.mysql) for _ in range(3)]
        for process in processes:
            stack.push_async_callback(process.close)
        handlers = [batches(process, BuyingStep()) for process in processes]
        answers: dict[int, set[bytes]] = {}
        for round_number in range(10):
            numbers = [dice.sample(range(100), 40) for _ in handlers]
            runs = [
                handler.run([keyed(number, attempt=10_000 * at + 1_000_000 * round_number + number) for number in own])
                for at, (handler, own) in enumerate(zip(handlers, numbers, strict=True))
            ]
            for own, outcomes in zip(numbers, await asyncio.gather(*runs), strict=True):
                _collect(answers, own, outcomes)
        assert await effects(processes[0]) == len(answers)
        assert len(await outbox_rows(processes[0])) == len(answers)
    assert all(len(bodies) == 1 for bodies in answers.values())
    assert deadlocks() == before


async def test_refused_and_accepted_under_the_same_keys_at_once_do_not_deadlock(empty_tables: Settings) -> None:
    before = deadlocks()
    async with AsyncExitStack() as stack:
        processes = [Database(empty_tables.mysql) for _ in range(3)]
        for process in processes:
            stack.push_async_callback(process.close)
        for round_number in range(10):
            numbers = range(round_number * 20, round_number * 20 + 30)
            steps = [BuyingStep(refused=numbers[at::2]) for at in range(3)]
            runs = [
                batches(process, step).run([keyed(number, attempt=1000 * number + at) for number in numbers])
                for at, (process, step) in enumerate(zip(processes, steps, strict=True))
            ]
            for outcomes in await asyncio.gather(*runs):
                assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
        assert await effects(processes[0]) == len(await stored_keys(processes[0]))
    assert deadlocks() == before


def _collect(answers: dict[int, set[bytes]], numbers: Sequence[int], outcomes: Sequence[object]) -> None:
    for number, outcome in zip(numbers, outcomes, strict=True):
        assert isinstance(outcome, Answer)
        answers.setdefault(number, set()).add(outcome.body)


@pytest.mark.parametrize(
    ("step", "fact"),
    [(BuyingStep(undecidable=[13]), DecisionFailed), (BuyingStep(unstorable=[13]), DataRefused)],
)
async def test_a_command_that_can_never_succeed_fails_alone(
    database: Database, logged: list[MutableMapping[str, Any]], step: BuyingStep, fact: type[Exception]
) -> None:
    outcomes = await batches(database, step).run([keyed(number, attempt=number) for number in range(1, 51)])
    assert [type(outcome) for outcome in outcomes] == [Answer] * 12 + [fact] + [Answer] * 37
    assert await effects(database) == 49
    assert 13 not in await stored_keys(database)
    assert [entry["poison"] for entry in logged if entry["event"] == "command_failed"] == [fact.__name__]


@pytest.mark.parametrize("fate", [Fate.COMMITTED_UNANSWERED, Fate.ROLLED_BACK_UNANSWERED])
async def test_an_unknown_outcome_is_settled_by_the_same_batch_again(database: Database, fate: Fate) -> None:
    step = BuyingStep(sold_out=[3], refused=[4])
    unreliable = LostAnswers(database, [fate, Fate.UNAVAILABLE, fate])
    batch = [keyed(number, attempt=number) for number in range(1, 6)]
    outcomes = await batches(unreliable, step).run(batch)
    assert [getattr(outcome, "status", None) for outcome in outcomes] == [202, 202, 409, 422, 202]
    assert unreliable.transactions == 4
    assert await effects(database) == 3
    assert len(await outbox_rows(database)) == 3
    again = await batches(database, step).run([keyed(1, attempt=9)])
    assert again == [outcomes[0]]


async def test_no_commit_sent_means_not_accepted_at_once(database: Database) -> None:
    unreliable = LostAnswers(database, [Fate.UNAVAILABLE])
    outcomes = await batches(unreliable, BuyingStep()).run([keyed(1, attempt=1), keyed(2, attempt=2)])
    assert [type(outcome) for outcome in outcomes] == [PrimaryUnavailable] * 2
    assert unreliable.transactions == 1
    assert await stored_keys(database) == []


async def test_an_outage_after_an_unknown_outcome_does_not_make_it_known(database: Database) -> None:
    unreliable = LostAnswers(database, [Fate.COMMITTED_UNANSWERED] + [Fate.UNAVAILABLE] * 1000)
    outcomes = await batches(unreliable, BuyingStep(), settle_seconds=0.2).run([keyed(1, attempt=1)])
    assert [type(outcome) for outcome in outcomes] == [OutcomeUnknown]
    assert not isinstance(outcomes[0], NotAccepted)
    assert await effects(database) == 1
    repeated = await batches(database, BuyingStep()).run([keyed(1, attempt=2)])
    assert repeated == [Answer(status=202, body=b"1 in batch 1")]


async def test_a_step_that_loses_an_outcome_writes_nothing(database: Database) -> None:
    class Forgetful(BuyingStep):
        def _outcome(self, number: int) -> Answer | Refused:
            raise KeyError(number)

    with pytest.raises(KeyError):
        await batches(database, Forgetful()).run([keyed(1, attempt=1)])
    assert await stored_keys(database) == []
    assert await effects(database) == 0
