"""What health says about servers, breakers and faults, and how soon, by the API's own process (R17)."""

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from doorbuster.bootstrap.consumers import ConsumerName
from doorbuster.settings import Settings
from tests.integration.apps.platform import Platform
from tests.integration.apps.processes import Application, environment_of, running
from tests.integration.apps.servers import Servers
from tests.integration.apps.storefront import Storefront, running_storefront, supply
from tests.integration.apps.test_outages import RETURN_SECONDS, killed
from tests.integration.polling import seconds_until

pytestmark = pytest.mark.integration

# R17
SEEN_SECONDS = 5.0
# Every part of a look has its end; three seconds all together, and what a busy machine adds.
LOOK_SECONDS = 4.5
PATIENCE_SECONDS = 60.0


@pytest.fixture
def front(empty_tables: Settings, tmp_path: Path) -> Iterator[Storefront]:
    supply(empty_tables)
    with running_storefront(empty_tables, tmp_path) as front:
        yield front


def health(front: Storefront) -> dict[str, object]:
    document: dict[str, object] = httpx.get(f"{front.address}/api/v1/health", timeout=10, trust_env=False).json()
    return document


def test_an_api_that_answers_without_kafka_says_so_within_five_seconds(front: Storefront, servers: Servers) -> None:
    front.health_that_says(kafka="ok")

    with killed(servers.kafka.pods[0], lambda: servers.kafka.until_complete(RETURN_SECONDS)):
        gone = time.monotonic()
        front.health_that_says(kafka="gone")
        seen_after = time.monotonic() - gone
        answer = health(front)

    assert seen_after < SEEN_SECONDS
    assert answer["status"] == "degraded"
    assert breakers(answer)["kafka"] == "closed"
    front.health_that_says(kafka="ok")


def test_all_well_names_members_pools_breakers_and_no_fault(front: Storefront) -> None:
    front.health_that_says(mysql="ok", mysql_secondaries="ok", kafka="ok", redis="ok")

    # What processes of an earlier test have told may still be fading.
    seconds_until(lambda: health(front)["faults"] == [], within_seconds=PATIENCE_SECONDS, what="no fault")
    answer = health(front)

    assert breakers(answer).keys() == {"redis", "kafka", "partner"}
    assert breakers(answer)["redis"] == "closed"
    members = answer["mysql_members"]
    assert isinstance(members, dict)
    assert (members["online"], members["known"]) == (1, 1)
    assert members["primary"]
    pools = answer["pools"]
    assert isinstance(pools, dict)
    assert {name: pool["size"] for name, pool in pools.items()} == {"transactions": 4, "reads": 2, "catalogue": 2}


def test_without_redis_faults_are_not_known_and_the_answer_is_not_late(front: Storefront, servers: Servers) -> None:
    front.health_that_says(redis="ok")

    with killed(servers.redis.pods[0], lambda: servers.redis.until_healthy(RETURN_SECONDS)):
        front.health_that_says(redis="gone")
        begun = time.monotonic()
        answer = health(front)
        took = time.monotonic() - begun

    assert answer["faults"] is None
    assert took < LOOK_SECONDS


def test_a_fault_of_a_consumer_is_in_the_apis_health_and_goes_with_it(
    front: Storefront, empty_tables: Settings, topics: frozenset[str]
) -> None:
    environment = environment_of(empty_tables) | {"DOORBUSTER_FAULTS__DELAY_PER_RECORD": "10ms"}
    slow = Application(words=("doorbuster.consumers", ConsumerName.STOCK.value), environment=environment)

    with running(slow):
        seconds_until(
            lambda: health(front)["faults"] == ["consumer-stock/delay-per-record"],
            within_seconds=PATIENCE_SECONDS,
            what="the fault is in health",
        )
        assert 'fault_active{fault="delay-per-record"} 1.0' in slow.metrics()

    assert topics
    seconds_until(lambda: health(front)["faults"] == [], within_seconds=PATIENCE_SECONDS, what="the fault is gone")


def test_a_catalogue_below_its_minimum_fails(empty_tables: Settings, tmp_path: Path) -> None:
    supply(empty_tables)
    with running_storefront(empty_tables, tmp_path, {"DOORBUSTER_CATALOGUE__MINIMUM_PRODUCTS": "3"}) as front:
        answer = health(front)

    assert (answer["status"], answer["catalogue"]) == ("failed", {"products": 2, "minimum": 3})


def test_a_partner_that_hangs_opens_its_breaker_and_nothing_is_delivered_twice_but_what_it_did_not_answer(
    platform: Platform,
) -> None:
    behave(platform, hang=True)
    buyer = platform.buyer(1)
    orders = [buyer.buy(f"hung-{number}", (3, 1)).raise_for_status().json()["id"] for number in range(6)]
    assert {buyer.final(order_id)["status"] for order_id in orders} == {"PAID"}

    seconds_until(
        lambda: breaker(platform) in {"open", "half-open"}, within_seconds=PATIENCE_SECONDS, what="the breaker opens"
    )
    behave(platform, hang=False)
    seconds_until(lambda: breaker(platform) == "closed", within_seconds=PATIENCE_SECONDS, what="the breaker closes")
    seconds_until(
        lambda: counts(platform)["orders"] == len(orders), within_seconds=PATIENCE_SECONDS, what="all are delivered"
    )

    found = counts(platform)
    assert found["hung"] > 0
    assert found["repeated"] <= found["hung"]


def behave(platform: Platform, *, hang: bool) -> None:
    httpx.put(f"{platform.partner_address}/behaviour", json={"hang": hang}, trust_env=False).raise_for_status()


def counts(platform: Platform) -> dict[str, int]:
    found: dict[str, int] = httpx.get(f"{platform.partner_address}/counts", trust_env=False).json()
    return found


def breaker(platform: Platform) -> object:
    return breakers(health(platform.front))["partner"]


def breakers(answer: dict[str, object]) -> dict[str, object]:
    found = answer["breakers"]
    assert isinstance(found, dict)
    return found
