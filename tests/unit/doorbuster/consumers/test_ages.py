from datetime import UTC, datetime
from uuid import UUID

from doorbuster.consumers.ages import oldest_age_seconds
from doorbuster.contracts.bodies import StockReserved
from doorbuster.contracts.messages import Message, encode
from doorbuster.infra.kafka.records import Record
from doorbuster.kernel.ids import MessageId

NOW = datetime(2026, 7, 1, 12, 0, 0, tzinfo=UTC)


def record(value: bytes | None, *, timestamp_ms: int = -1, partition: int = 0) -> Record:
    return Record(topic="t", partition=partition, offset=0, key=None, value=value, timestamp_ms=timestamp_ms)


def message(second: int) -> bytes:
    occurred_at = NOW.replace(hour=11, minute=59, second=second)
    return encode(Message(id=MessageId(UUID(int=1)), occurred_at=occurred_at, body=StockReserved(order_id=UUID(int=2))))


def test_the_age_counts_from_occurred_at_also_when_kafka_got_it_later() -> None:
    late = int(NOW.timestamp() * 1000) - 1

    assert oldest_age_seconds([record(message(50), timestamp_ms=late)], NOW.timestamp()) == 10


def test_an_undecodable_record_is_as_old_as_kafka_says() -> None:
    made = int(NOW.timestamp() * 1000) - 3000

    assert oldest_age_seconds([record(b"\xff{", timestamp_ms=made)], NOW.timestamp()) == 3
    assert oldest_age_seconds([record(None, timestamp_ms=made)], NOW.timestamp()) == 3
    deep = b'{"x": ' + b"[" * 50_000 + b"]" * 50_000 + b"}"
    assert oldest_age_seconds([record(deep, timestamp_ms=made)], NOW.timestamp()) == 3


def test_the_oldest_partition_decides() -> None:
    records = [record(message(58)), record(message(59)), record(message(40), partition=1)]

    assert oldest_age_seconds(records, NOW.timestamp()) == 20


def test_an_age_is_never_negative_and_0_when_nothing_is_known() -> None:
    assert oldest_age_seconds([record(message(50))], NOW.timestamp() - 60) == 0
    assert oldest_age_seconds([record(b"")], NOW.timestamp()) == 0
    assert oldest_age_seconds([], NOW.timestamp()) == 0
