import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import pytest

from doorbuster.contracts.bodies import (
    BODIES,
    AnyBody,
    CouponIssued,
    CouponNone,
    OrderCompleted,
    OrderCreated,
    OrderLine,
)
from doorbuster.contracts.messages import LONGEST_MESSAGE_BYTES, Message, decode, encode
from doorbuster.contracts.topics import READ_BY, Group, Topic, dead_letter_topic
from doorbuster.kernel.errors import UndecodableMessage, UnknownMessage
from doorbuster.kernel.ids import MessageId

ORDER = UUID("01890000-0000-7000-8000-000000000001")
ISSUE = UUID("01890000-0000-7000-8000-000000000002")
# JSON, and nothing that a reader of any form would get through.
DEEP = b"[" * 50_000 + b"]" * 50_000
LINES = (OrderLine(product_id=5, quantity=2, unit_price=300),)
# A value for every field that any body has.
FIELDS: dict[str, Any] = {
    "order_id": ORDER, "user_id": 7, "lines": LINES, "total": 600, "coupon_id": 3, "reason": "out-of-stock",
    "product_id": 5, "amount": 600, "discount": 100, "issue_id": ISSUE,
}  # fmt: skip


def example(kind: type[AnyBody]) -> AnyBody:
    return kind(**{name: FIELDS[name] for name in kind.__struct_fields__})


def message(body: AnyBody) -> Message:
    return Message(id=MessageId(UUID(int=9)), occurred_at=datetime(2026, 1, 2, 3, 4, 5, 678901, UTC), body=body)


def wire(**changes: Any) -> bytes:
    document = json.loads(encode(message(example(OrderCreated))))
    return json.dumps({**document, **changes}).encode()


DATA = json.loads(wire())["data"]


@pytest.mark.parametrize("kind", BODIES, ids=lambda kind: kind.type)
def test_what_is_encoded_is_decoded_again(kind: type[AnyBody]) -> None:
    sent = message(example(kind))

    assert decode(encode(sent)) == sent


def test_the_form_on_the_wire_stays_as_readers_know_it() -> None:
    assert json.loads(encode(message(example(OrderCreated)))) == {
        "id": "00000000-0000-0000-0000-000000000009",
        "type": "order.created",
        "version": 1,
        "occurred_at": "2026-01-02T03:04:05.678901Z",
        "key": str(ORDER),
        "data": {
            "order_id": str(ORDER),
            "user_id": 7,
            "lines": [{"product_id": 5, "quantity": 2, "unit_price": 300}],
            "total": 600,
            "coupon_id": 3,
        },
    }


def test_the_key_is_the_id_of_what_the_body_is_about() -> None:
    keys = {kind.type: json.loads(encode(message(example(kind))))["key"] for kind in BODIES}

    assert keys == {kind.type: str(ISSUE if kind is CouponIssued else ORDER) for kind in BODIES}


def test_a_message_of_an_older_writer_has_no_discount() -> None:
    completed = example(OrderCompleted)
    document = json.loads(encode(message(completed)))
    del document["data"]["discount"]

    assert decode(json.dumps(document).encode()).body == msgspec.structs.replace(completed, discount=0)


def test_a_newer_writers_additional_fields_are_ignored() -> None:
    data = json.loads(wire())["data"]

    assert decode(wire(data={**data, "colour": "red"}, shade=1)).body == example(OrderCreated)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "no value"),
        (b"", "truncated"),
        (b"\xff\xfe", "malformed"),
        (b"[]", "object"),
        (b'{"id": 1}', "id"),
        (wire(data=None).replace(b"null", DEEP), "recursion"),
        (wire().replace(b"{", b'{"shade": ' + DEEP + b", ", 1), "recursion"),
        (b" " * (LONGEST_MESSAGE_BYTES + 1), "too many"),
        (wire(data={}), "order_id"),
        (wire(data={**DATA, "total": 2**63}), "total"),
        (wire(data={**DATA, "lines": [{"product_id": 5, "quantity": 2, "unit_price": 10**30}]}), "unit_price"),
        (wire(data=None), "object"),
        (wire(key=str(UUID(int=1))), "isn't the id of what"),
        (wire(occurred_at="2026-01-02T03:04:05"), "time zone"),
        (wire(occurred_at="yesterday"), "RFC3339"),
    ],
)
def test_what_is_not_of_the_promised_form_is_undecodable(value: bytes | None, reason: str) -> None:
    with pytest.raises(UndecodableMessage, match=reason):
        decode(value)


@pytest.mark.parametrize("changes", [{"type": "order.teleported"}, {"version": 2}])
def test_an_unknown_type_or_version_is_told_apart(changes: dict[str, Any]) -> None:
    with pytest.raises(UnknownMessage, match="is unknown"):
        decode(wire(**changes))


def test_types_are_unique_and_every_topic_carries_some() -> None:
    assert len({(body.type, body.version) for body in BODIES}) == len(BODIES)
    assert {body.topic for body in BODIES} == set(Topic)


def test_every_topic_is_read_and_every_group_reads() -> None:
    assert {topic for topics in READ_BY.values() for topic in topics} == set(Topic)
    assert READ_BY.keys() == set(Group)


def test_a_dead_letter_topic_is_named_after_its_topic() -> None:
    assert dead_letter_topic(CouponNone.topic) == "coupon-used.dlt"
