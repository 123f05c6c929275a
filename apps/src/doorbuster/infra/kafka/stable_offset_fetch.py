"""OffsetFetch in version 7, which aiokafka lacks: only what is surely committed (KIP-447's `require_stable`).

A coordinator that has just taken a group over answers older versions from what it knows to be replicated, which for a
few hundred milliseconds is nothing: the group reads as one that has committed nothing (Kafka 4.3). Asked for stable
offsets, it waits until it knows. The layout is that of Kafka's message definitions, OffsetFetchRequest.json and
OffsetFetchResponse.json.
"""

from typing import Any

from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Boolean, CompactArray, CompactString, Int16, Int32, Int64, Schema, TaggedFields

_NO_TAGS: dict[int, bytes] = {}


class _Response7(Response):  # type: ignore[misc]  # aiokafka has no types
    API_KEY = 9
    API_VERSION = 7
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "topics",
            CompactArray(
                ("name", CompactString("utf-8")),
                (
                    "partitions",
                    CompactArray(
                        ("partition", Int32),
                        ("offset", Int64),
                        ("leader_epoch", Int32),
                        ("metadata", CompactString("utf-8")),
                        ("error_code", Int16),
                        ("tags", TaggedFields),
                    ),
                ),
                ("tags", TaggedFields),
            ),
        ),
        ("error_code", Int16),
        ("tags", TaggedFields),
    )


class _Request7(RequestStruct):  # type: ignore[misc]  # aiokafka has no types
    FLEXIBLE_VERSION = True
    API_KEY = 9
    API_VERSION = 7
    RESPONSE_TYPE = _Response7
    SCHEMA = Schema(
        ("group", CompactString("utf-8")),
        (
            "topics",
            CompactArray(("name", CompactString("utf-8")), ("partitions", CompactArray(Int32)), ("tags", TaggedFields)),
        ),
        ("require_stable", Boolean),
        ("tags", TaggedFields),
    )


class StableOffsetFetch(Request[_Request7]):  # type: ignore[misc]  # aiokafka has no types
    """Asks a group's coordinator for all offsets that the group has committed.

    The answer has `error_code`, and `topics` of (name, partitions, tags) with partitions of (partition, offset, leader
    epoch, metadata, error code, tags).
    """

    API_KEY = 9

    def __init__(self, group: str) -> None:
        """Ask about this group."""
        self._group = group

    def build(self, request_struct_class: type[_Request7]) -> _Request7:
        """Return the request, as aiokafka's client wants it built."""
        every_topic: Any = None
        return request_struct_class(self._group, every_topic, True, _NO_TAGS)  # noqa: FBT003  # in the order of the schema
