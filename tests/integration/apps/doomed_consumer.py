"""A consumer that dies after its first transaction and before its commit."""

import asyncio
import os
from collections.abc import Sequence

from doorbuster.infra.kafka.kafka_record_source import KafkaRecordSource, consumer_configuration
from doorbuster.infra.kafka.records import BatchResult, Record
from doorbuster.settings import KafkaSettings
from tests.unit.doorbuster.consumers.running import consumer

EXIT_CODE = 9
# The shortest that a broker takes, so that the test hasn't to wait for the real one.
SESSION_SECONDS = 6


class Doomed:
    async def handle(self, records: Sequence[Record]) -> BatchResult:
        os._exit(EXIT_CODE)


def run(kafka: KafkaSettings, group: str, topic: str) -> None:
    """Consume until death; to be called in a process of its own."""
    configuration = {**consumer_configuration(kafka, group), "session.timeout.ms": SESSION_SECONDS * 1000}
    asyncio.run(consumer(KafkaRecordSource(configuration), Doomed()).run([topic], asyncio.Event()))
