"""Poison is what its kind says, and nothing that a group could do."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from doorbuster.contracts.messages import LONGEST_MESSAGE_BYTES, decode
from doorbuster.infra.faults.poison import PoisonKind, poisoned
from doorbuster.kernel.errors import PoisonMessage, UndecodableMessage, UnknownMessage


@pytest.mark.parametrize(
    ("kind", "fact", "words"),
    [
        (PoisonKind.MALFORMED, UndecodableMessage, "truncated"),
        (PoisonKind.UNKNOWN_VERSION, UnknownMessage, "in version 999 is unknown"),
        (PoisonKind.OVERSIZED, UndecodableMessage, "bytes are too many"),
    ],
)
def test_each_kind_is_given_up_for_its_reason(kind: PoisonKind, fact: type[PoisonMessage], words: str) -> None:
    value = poisoned(kind, message_id=UUID(int=1), order_id=UUID(int=2), now=datetime(2026, 5, 1, tzinfo=UTC))

    with pytest.raises(fact, match=words):
        decode(value)
    assert (len(value) > LONGEST_MESSAGE_BYTES) is (kind is PoisonKind.OVERSIZED)
