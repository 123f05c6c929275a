from collections.abc import Iterator

import pytest

from doorbuster.settings import Settings
from tests.integration.apps.processes import Application, environment_of, running
from tests.integration.apps.relays import add_messages, unpublished
from tests.integration.apps.topic_reader import own_topic, values_by_key
from tests.integration.polling import seconds_until
from tests.ports import free_port

pytestmark = pytest.mark.integration

KEYS = [b"order-%d" % number for number in range(50)]
TAKEOVER_SECONDS = 30
HOLDS = 'lock_held{lock="relay"} 1.0'


@pytest.fixture
def topic(empty_tables: Settings) -> Iterator[str]:
    with own_topic(empty_tables.kafka) as name:
        yield name


def relay_process(settings: Settings) -> Application:
    return Application(words=("doorbuster.jobs.relay",), environment=environment_of(settings))


def until_published(settings: Settings) -> None:
    seconds_until(
        lambda: unpublished(settings.mysql) == 0, within_seconds=TAKEOVER_SECONDS, what="everything is published"
    )


def first_occurrences(values: list[bytes | None]) -> list[bytes | None]:
    return list(dict.fromkeys(values))


def test_a_killed_relay_loses_nothing_and_the_other_takes_over(empty_tables: Settings, topic: str) -> None:
    first, second = relay_process(empty_tables), relay_process(empty_tables)
    with running(first, second):
        for number in range(10):
            add_messages(empty_tables.mysql, topic, [(key, b"%d" % number) for key in KEYS])
            if number == 5:
                holder = first if HOLDS in first.metrics() else second
                holder.kill()
        until_published(empty_tables)

    in_order: list[bytes | None] = [b"%d" % number for number in range(10)]
    found = values_by_key(empty_tables.kafka, topic)
    assert {key: first_occurrences(values) for key, values in found.items()} == dict.fromkeys(KEYS, in_order)


def test_a_relay_ends_cleanly_on_sigterm(empty_tables: Settings, topic: str) -> None:
    relay = relay_process(empty_tables)
    with running(relay):
        add_messages(empty_tables.mysql, topic, [(b"order", b"1")])
        until_published(empty_tables)

        assert relay.stop() == 0
    assert values_by_key(empty_tables.kafka, topic) == {b"order": [b"1"]}


def test_a_relay_ends_cleanly_on_sigterm_also_without_kafka_and_redis(empty_tables: Settings) -> None:
    nowhere = f"127.0.0.1:{free_port()}"
    gone = {
        "DOORBUSTER_KAFKA__SERVERS": nowhere,
        "DOORBUSTER_REDIS__ADDRESS": nowhere,
        "DOORBUSTER_REDIS__SENTINELS": "",
    }
    relay = Application(words=("doorbuster.jobs.relay",), environment=environment_of(empty_tables) | gone)
    with running(relay):
        add_messages(empty_tables.mysql, "t", [(b"order", b"1")])
        seconds_until(lambda: "\noutbox_rows 1.0\n" in relay.metrics(), within_seconds=20, what="a message waits")

        assert relay.stop() == 0
    assert unpublished(empty_tables.mysql) == 1


def test_a_relay_measures_the_outbox(empty_tables: Settings, topic: str) -> None:
    relay = relay_process(empty_tables)
    with running(relay):
        add_messages(empty_tables.mysql, topic, [(b"order", b"1")])
        until_published(empty_tables)

        seconds_until(lambda: "\noutbox_rows 0.0\n" in relay.metrics(), within_seconds=10, what="an empty outbox")
        assert f'outbox_published_total{{topic="{topic}"}} 1.0' in relay.metrics()


def test_the_watch_looks_and_ends_cleanly_on_sigterm(empty_tables: Settings) -> None:
    watch = Application(words=("doorbuster.jobs.watch",), environment=environment_of(empty_tables))
    with running(watch):
        seconds_until(lambda: "\nsagas_open 0.0\n" in watch.metrics(), within_seconds=20, what="no saga is open")
        seconds_until(
            lambda: 'lock_held{lock="watch"} 1.0' in watch.metrics(), within_seconds=20, what="the watch is held"
        )

        assert watch.stop() == 0


def test_the_lag_exporter_serves_and_ends_cleanly_on_sigterm(empty_tables: Settings, topic: str) -> None:
    exporter = Application(words=("doorbuster.jobs.lag_exporter",), environment=environment_of(empty_tables))
    with running(exporter):
        seconds_until(
            lambda: f'kafka_topic_partitions{{topic="{topic}"}} 3.0' in exporter.metrics(),
            within_seconds=20,
            what="the topic is exported",
        )

        assert exporter.stop() == 0
