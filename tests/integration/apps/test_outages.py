"""Orders while Kafka or Redis is gone, and beside a message that can never succeed (R7, R17)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest
from confluent_kafka import Producer

from doorbuster.contracts.topics import Topic, dead_letter_topic
from doorbuster.settings import Settings
from tests.audit import breaches
from tests.integration.apps.books import Books
from tests.integration.apps.platform import Platform
from tests.integration.apps.servers import Servers
from tests.integration.apps.test_saga import PRODUCT
from tests.integration.pods import Pod
from tests.integration.polling import seconds_until

# R17 for Kafka; the others are asked with each request for health.
SEEN_SECONDS = 5
# A busy machine on top of it.
PATIENCE_SECONDS = 10
RETURN_SECONDS = 120
PARTITION = 0


def test_orders_are_accepted_without_kafka_and_paid_when_it_is_back(
    platform: Platform, servers: Servers, books: Books
) -> None:
    buyer = platform.buyer(1)
    seconds_until(lambda: state_of(platform, "kafka") == "ok", within_seconds=PATIENCE_SECONDS, what="Kafka is seen")

    with killed(servers.kafka.pods[0], lambda: servers.kafka.until_complete(RETURN_SECONDS)):
        seconds_until(
            lambda: state_of(platform, "kafka") == "gone", within_seconds=SEEN_SECONDS + PATIENCE_SECONDS,
            what="the outage is seen",
        )  # fmt: skip
        order_id = buyer.buy("without-kafka", (PRODUCT, 1)).raise_for_status().json()["id"]
        assert buyer.order(order_id)["status"] == "PENDING"

    assert buyer.final(order_id)["status"] == "PAID"
    books.until_quiet()
    assert breaches(books.ask) == {}


def test_orders_are_accepted_and_paid_without_redis(platform: Platform, servers: Servers, books: Books) -> None:
    buyer = platform.buyer(1)

    with killed(servers.redis.pods[0], lambda: servers.redis.until_healthy(RETURN_SECONDS)):
        order_id = buyer.buy("without-redis", (PRODUCT, 1)).raise_for_status().json()["id"]
        assert buyer.final(order_id)["status"] == "PAID"
        assert state_of(platform, "redis") == "gone"

    books.until_quiet()
    assert breaches(books.ask) == {}


@pytest.mark.parametrize("value", [b"not a message", b'{"id": "1"}'], ids=["no JSON", "no envelope"])
def test_a_broken_message_becomes_a_dead_letter_and_its_partition_goes_on(
    platform: Platform, settings: Settings, books: Books, value: bytes
) -> None:
    offset = send(settings, Topic.ORDER_CREATED, value)
    buyer = platform.buyer(1)

    # Enough orders for every partition.
    orders = [buyer.buy(f"order-{number}", (PRODUCT, 1)).raise_for_status().json()["id"] for number in range(12)]

    assert {buyer.final(order_id)["status"] for order_id in orders} == {"PAID"}
    letters = f"""
        SELECT headers->>'$."source-offset"' FROM outbox WHERE topic = '{dead_letter_topic(Topic.ORDER_CREATED)}'
    """
    # Stock and coupon read the topic; each of them says what it could not read.
    seconds_until(lambda: len(books.ask(letters)) == 2, within_seconds=PATIENCE_SECONDS, what="two dead letters")
    assert set(books.ask(letters)) == {str(offset)}


def state_of(platform: Platform, dependency: str) -> str:
    """What the health of the API says about a dependency."""
    answer = httpx.get(f"{platform.front.address}/api/v1/health", timeout=PATIENCE_SECONDS)
    return str(answer.json()["dependencies"][dependency])


@contextmanager
def killed(pod: Pod, until_back: Callable[[], object]) -> Iterator[None]:
    """Have a server's containers dead inside the block, and whole again after it."""
    pod.kill()
    try:
        yield
    finally:
        pod.start()
        until_back()


def send(settings: Settings, topic: str, value: bytes) -> int:
    """Put bytes on a topic as they are; return their offset."""
    offsets: list[int | None] = []
    producer = Producer({"bootstrap.servers": settings.kafka.servers})
    producer.produce(topic, value=value, partition=PARTITION, on_delivery=lambda _, sent: offsets.append(sent.offset()))
    assert producer.flush(RETURN_SECONDS) == 0
    (offset,) = offsets
    assert offset is not None
    return offset
