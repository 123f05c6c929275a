"""The envelope around a body, and its form on the wire: JSON with id, type, version, occurred_at, key and data."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import msgspec

from doorbuster.contracts.bodies import BODIES, AnyBody
from doorbuster.kernel.errors import UndecodableMessage, UnknownMessage
from doorbuster.kernel.ids import MessageId

# What the broker and every reader accept; a batch of 500 of them stays below a few MiB (R3).
LONGEST_MESSAGE_BYTES = 256 * 1024

_BODY_BY_NAME: Mapping[tuple[str, int], type[AnyBody]] = {(body.type, body.version): body for body in BODIES}


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message.

    Attributes:
        id: what a reader remembers so that nothing is done twice.
        occurred_at: when the fact became one, by the database's clock, UTC; ages count from here (R9).
        body: what happened.
    """

    id: MessageId
    occurred_at: datetime
    body: AnyBody


class _Envelope(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    type: str
    version: int
    occurred_at: datetime
    key: UUID
    data: msgspec.Raw


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(_Envelope)
_data_decoders = {name: msgspec.json.Decoder(body) for name, body in _BODY_BY_NAME.items()}


def encode(message: Message) -> bytes:
    """Return the message as it is stored in the outbox and sent."""
    body = message.body
    return _encoder.encode(
        _Envelope(
            id=message.id,
            type=body.type,
            version=body.version,
            occurred_at=message.occurred_at,
            key=body.key,
            data=msgspec.Raw(_encoder.encode(body)),
        )
    )


def decode(value: bytes | None) -> Message:
    """Return the message that the bytes hold.

    Raises:
        UndecodableMessage: not JSON, too long, or not of the form that its type promises.
        UnknownMessage: no reader of this release knows its type in its version.
    """
    if value is None or len(value) > LONGEST_MESSAGE_BYTES:
        raise UndecodableMessage("the message has no value" if value is None else f"{len(value)} bytes are too many")
    try:
        envelope = _decoder.decode(value)
        decoder = _data_decoders.get((envelope.type, envelope.version))
        if decoder is None:
            raise UnknownMessage(f"type {envelope.type!r} in version {envelope.version} is unknown")
        body: AnyBody = decoder.decode(envelope.data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        # RecursionError: thousands of brackets in a row are JSON too.
        raise UndecodableMessage(str(exc)) from exc
    if body.key != envelope.key or envelope.occurred_at.tzinfo is None:
        raise UndecodableMessage("the key isn't the id of what the body is about, or occurred_at has no time zone")
    return Message(id=MessageId(envelope.id), occurred_at=envelope.occurred_at, body=body)
