"""What may be decided about a dead letter."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from doorbuster.contracts.bodies import StockReserved
from doorbuster.contracts.messages import Message, encode
from doorbuster.infra.batches.dead_letters import LetterState
from doorbuster.infra.batches.letter_decisions import DeadLetter, readable, why_not_discarded, why_not_replayed
from doorbuster.kernel.ids import MessageId

NOW = datetime(2026, 5, 1, 12, 30, tzinfo=UTC)
OPEN = DeadLetter(
    id=7,
    topic="stock-reserved",
    partition=3,
    offset=42,
    group="order-flow-manager-group",
    key=b"key",
    headers={"cause": "no JSON"},
    payload_bytes=2,
    payload=b"{}",
    created_at=NOW,
    state=LetterState.OPEN,
    decided_at=None,
    reason=None,
    replays=0,
)
REPLAYED = replace(OPEN, state=LetterState.REPLAYED, decided_at=NOW, replays=1)
DISCARDED = replace(OPEN, state=LetterState.DISCARDED, decided_at=NOW, reason="test data")


def test_an_open_one_can_be_sent_again_or_discarded() -> None:
    assert (why_not_replayed(OPEN, again=False), why_not_discarded(OPEN)) == (None, None)


def test_what_was_sent_again_says_so_and_counts_as_done() -> None:
    refusal = why_not_replayed(REPLAYED, again=False)

    assert refusal is not None
    assert refusal.reason == "was replayed at 2026-05-01 12:30:00 UTC; --again sends it all the same"
    assert refusal.done_before


def test_what_was_discarded_is_not_sent_by_accident() -> None:
    refusal = why_not_replayed(DISCARDED, again=False)

    assert refusal is not None
    assert not refusal.done_before


@pytest.mark.parametrize("letter", [OPEN, REPLAYED, DISCARDED])
def test_again_overrules_every_decision(letter: DeadLetter) -> None:
    assert why_not_replayed(letter, again=True) is None


@pytest.mark.parametrize(("form", "word"), [("cut", "first 2 bytes"), ("none", "discard it")])
@pytest.mark.parametrize("again", [False, True])
def test_a_message_that_is_not_here_as_a_whole_is_never_sent(form: str, word: str, *, again: bool) -> None:
    letter = replace(OPEN, headers={"source-value": form})

    refusal = why_not_replayed(letter, again=again)

    assert refusal is not None
    assert word in refusal.reason
    assert "stock-reserved/3@42" in refusal.reason
    assert not refusal.done_before


@pytest.mark.parametrize(("letter", "done_before"), [(DISCARDED, True), (REPLAYED, False)])
def test_a_decision_is_not_discarded_afterwards(letter: DeadLetter, *, done_before: bool) -> None:
    refusal = why_not_discarded(letter)

    assert refusal is not None
    assert refusal.done_before is done_before


def test_a_message_is_readable_when_this_release_knows_it() -> None:
    message = Message(id=MessageId(UUID(int=1)), occurred_at=NOW, body=StockReserved(order_id=UUID(int=2)))

    assert readable(encode(message)) == message
    assert readable(encode(message).replace(b'"version":1', b'"version":9')) is None
    assert readable(b"{") is None
