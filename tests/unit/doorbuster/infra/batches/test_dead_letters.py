"""What a dead letter says about itself."""

import json

from doorbuster.contracts.messages import LONGEST_MESSAGE_BYTES
from doorbuster.contracts.topics import Group
from doorbuster.infra.batches.dead_letters import describe
from doorbuster.infra.kafka.records import Record
from doorbuster.kernel.deciding import deciding
from doorbuster.kernel.errors import DecisionFailed, PoisonMessage, UndecodableMessage


def record(*, key: bytes | None = b"order-1", value: bytes | None = b"{}") -> Record:
    return Record(topic="order-created", partition=3, offset=42, key=key, value=value, timestamp_ms=1)


def failed(divisor: int = 0) -> PoisonMessage:
    try:
        with deciding():
            divisor = 1 // divisor
    except DecisionFailed as exc:
        return exc
    raise AssertionError


def test_it_says_what_went_wrong_where_it_came_from_and_who_gave_up() -> None:
    headers = dict(describe(record(), UndecodableMessage("no JSON"), Group.STOCK))
    assert len(headers.pop("stack-digest")) == 64
    assert headers == {
        "cause": "no JSON",
        "exception": "doorbuster.kernel.errors.UndecodableMessage",
        "group": "stock-service-group",
        "source-topic": "order-created",
        "source-partition": "3",
        "source-offset": "42",
    }


def test_a_failed_decision_names_what_it_raised() -> None:
    assert describe(record(), failed(), Group.STOCK)["exception"] == "builtins.ZeroDivisionError"


def test_the_same_fault_has_the_same_digest_and_another_fault_another() -> None:
    digests = [describe(record(), failed(), Group.STOCK)["stack-digest"] for _ in range(2)]
    other = describe(record(), UndecodableMessage("no JSON"), Group.STOCK)["stack-digest"]
    assert digests[0] == digests[1]
    assert digests[0] != other


def test_a_cause_that_no_database_would_store_is_made_printable_and_short() -> None:
    cause = describe(record(), UndecodableMessage("\ud800" + "x" * 10_000), Group.STOCK)["cause"]
    assert json.dumps(cause, ensure_ascii=False).encode("utf-8")
    assert len(cause) == 500


def test_what_the_outbox_cannot_hold_is_named() -> None:
    assert describe(record(key=None, value=None), UndecodableMessage("empty"), Group.STOCK)["source-key"] == "none"
    assert describe(record(key=None, value=None), UndecodableMessage("empty"), Group.STOCK)["source-value"] == "none"
    assert describe(record(key=b"k" * 65), UndecodableMessage("long"), Group.STOCK)["source-key"] == "cut"
    longest = record(value=b"v" * LONGEST_MESSAGE_BYTES)
    assert "source-value" not in describe(longest, UndecodableMessage("no JSON"), Group.STOCK)
    longer = record(value=b"v" * (LONGEST_MESSAGE_BYTES + 1))
    assert describe(longer, UndecodableMessage("long"), Group.STOCK)["source-value"] == "cut"
