import pytest
import redis

from tests.integration.redis.deployment import (
    ANSWER_SECONDS,
    PRIMARY_NAME,
    REDIS_PORT,
    SENTINEL_PORT,
    RedisDeployment,
)

pytestmark = pytest.mark.integration

START_SECONDS = 60


def test_new_volumes_start_with_ordinal_zero_as_primary(three: RedisDeployment) -> None:
    three.until_healthy(START_SECONDS)

    assert three.roles() == ["primary", "replica", "replica"]
    assert "primary" in three.pods[0].logs("redis")


def test_each_sentinel_sees_exactly_its_peers(three: RedisDeployment) -> None:
    three.until_healthy(START_SECONDS)

    assert three.seen_by_sentinels() == [(2, 2)] * 3
    with three.sentinel(0) as sentinel:
        assert sentinel.sentinel_master(PRIMARY_NAME)["quorum"] == 2


def test_an_instance_refuses_a_client_without_the_password(three: RedisDeployment) -> None:
    three.until_healthy(START_SECONDS)

    for port in (REDIS_PORT, SENTINEL_PORT):
        with (
            redis.Redis(host=three.pods[0].address, port=port, socket_timeout=ANSWER_SECONDS) as stranger,
            pytest.raises(redis.AuthenticationError),
        ):
            stranger.ping()


def test_a_single_pod_accepts_writes_without_replicas(single: RedisDeployment) -> None:
    single.until_healthy(START_SECONDS)

    assert single.roles() == ["primary"]
    assert single.seen_by_sentinels() == [(0, 0)]


def test_a_single_pod_stops_without_waiting_for_a_successor(single: RedisDeployment) -> None:
    single.until_healthy(START_SECONDS)

    single.pods[0].execute("redis", "bash", "/scripts/hand-over.sh")
    single.pods[0].stop_container("redis")

    assert single.pods[0].exit_code("redis") == 0
