import logging
import time

import pytest
import redis

from tests.integration.polling import seconds_until
from tests.integration.redis.deployment import RedisDeployment

pytestmark = pytest.mark.integration

log = logging.getLogger(__name__)

START_SECONDS = 60
# Down after 5 s, a vote, a promotion; what the data plane promises.
FAILOVER_SECONDS = 20
# A restarted member waits for its peers, loads its file and copies from the primary.
RETURN_SECONDS = 60
# A replica that has just copied everything writes a new file before it says how far it is; the disk may be busy.
FILES_SECONDS = 60
# Of one question; less than a client waits for an answer.
FILE_MILLISECONDS = 500
# No replica heard for 10 s is the bound; the clock of the replicas' pings adds one.
REFUSAL_SECONDS = 15


def write_with_witness(client: redis.Redis, prefix: str, count: int) -> list[str]:
    """Keys that a replica has acknowledged before the answer was given."""
    written = []
    for number in range(count):
        key = f"{prefix}:{number}"
        client.set(key, number)
        if client.wait(1, 1000) >= 1:
            written.append(key)
    return written


def wait_for_files(client: redis.Redis, replicas: int) -> None:
    """Wait until all that was written is in the primary's file and in those of so many replicas, or more."""

    def filed() -> bool:
        own, others = client.waitaof(1, replicas, FILE_MILLISECONDS)
        return own == 1 and others >= replicas

    seconds_until(filed, within_seconds=FILES_SECONDS, what=f"the files of the primary and {replicas} replicas")


def found(deployment: RedisDeployment, keys: list[str]) -> int:
    with deployment.primary() as client:
        return sum(value is not None for value in client.mget(keys))


def test_replicated_keys_survive_the_loss_of_the_primary(three: RedisDeployment) -> None:
    three.until_healthy(START_SECONDS)
    former = three.primary_ordinal()
    with three.redis(former) as client:
        keys = write_with_witness(client, "order", 200)

    started = time.monotonic()
    three.pods[former].kill()
    three.until_failed_over(former, FAILOVER_SECONDS)
    log.info("failover after %.1f s", time.monotonic() - started)

    assert len(keys) == 200
    assert found(three, keys) == 200


def test_a_former_primary_returns_as_replica(three: RedisDeployment) -> None:
    three.until_healthy(START_SECONDS)
    former = three.primary_ordinal()
    three.pods[former].kill()
    three.until_failed_over(former, FAILOVER_SECONDS)

    three.pods[former].start()
    three.until_healthy(RETURN_SECONDS)

    assert three.roles()[former] == "replica"
    # No ghost of the former Sentinel, and none of the former primary.
    assert three.seen_by_sentinels() == [(2, 2)] * 3


def test_a_primary_whose_process_restarts_at_once_keeps_its_data(three: RedisDeployment) -> None:
    three.until_healthy(START_SECONDS)
    former = three.primary_ordinal()
    with three.redis(former) as client:
        keys = write_with_witness(client, "order", 50)
        wait_for_files(client, replicas=0)

    three.pods[former].kill_container("redis")
    three.pods[former].start_container("redis")
    three.until_healthy(RETURN_SECONDS)

    assert found(three, keys) == 50


def test_a_primary_that_lost_its_volume_doesnt_empty_its_replicas(three: RedisDeployment) -> None:
    three.until_healthy(START_SECONDS)
    former = three.primary_ordinal()
    with three.redis(former) as client:
        keys = write_with_witness(client, "order", 50)

    three.pods[former].kill_container("redis")
    three.pods[former].empty_volume()
    three.pods[former].start_container("redis")
    three.until_failed_over(former, FAILOVER_SECONDS)
    three.until_healthy(RETURN_SECONDS)

    assert three.roles()[former] == "replica"
    assert found(three, keys) == 50


def test_all_killed_together_come_back_with_their_data(three: RedisDeployment) -> None:
    three.until_healthy(START_SECONDS)
    with three.primary() as client:
        keys = write_with_witness(client, "order", 200)
        wait_for_files(client, replicas=2)

    for pod in three.pods:
        pod.kill()
    for pod in three.pods:
        pod.start()
    seconds = three.until_healthy(RETURN_SECONDS)
    log.info("total restart after %.1f s", seconds)

    assert found(three, keys) == 200
    assert three.seen_by_sentinels() == [(2, 2)] * 3


def test_a_total_restart_prefers_the_member_that_was_in_service_last(three: RedisDeployment) -> None:
    three.until_healthy(START_SECONDS)
    first = three.primary_ordinal()
    seconds_until(lambda: note_age(three, first) >= 0, within_seconds=10, what="a note on each volume")
    three.pods[first].kill()
    three.until_failed_over(first, FAILOVER_SECONDS)
    with three.primary() as client:
        keys = write_with_witness(client, "after-failover", 50)
        wait_for_files(client, replicas=1)
    # The note on the first member's volume grows older than the moment that counts as the same.
    seconds_until(lambda: note_age(three, first) > 8, within_seconds=30, what="an old note")

    for ordinal, pod in enumerate(three.pods):
        if ordinal != first:
            pod.kill()
    for pod in three.pods:
        pod.start()
    three.until_healthy(RETURN_SECONDS)

    assert three.roles()[first] == "replica"
    assert found(three, keys) == 50


def test_two_members_decide_without_the_third(three: RedisDeployment) -> None:
    three.until_healthy(START_SECONDS)
    with three.primary() as client:
        keys = write_with_witness(client, "order", 20)
        wait_for_files(client, replicas=2)
    for pod in three.pods:
        pod.kill()

    for pod in three.pods[1:]:
        pod.start()
    seconds_until(
        lambda: sorted(role for role in roles_of(three, 1, 2)) == ["primary", "replica"],
        within_seconds=RETURN_SECONDS,
        what="two members, one of them the primary",
    )

    assert found(three, keys) == 20


def test_an_isolated_primary_refuses_writes_and_becomes_a_replica(three: RedisDeployment) -> None:
    three.until_healthy(START_SECONDS)
    former = three.primary_ordinal()

    three.pods[former].isolate()
    three.until_failed_over(former, FAILOVER_SECONDS)
    refused = seconds_until(
        lambda: "NOREPLICAS" in local_write(three, former), within_seconds=REFUSAL_SECONDS, what="a refused write"
    )
    log.info("writes refused %.1f s after the failover", refused)
    three.pods[former].rejoin()
    three.until_healthy(RETURN_SECONDS)

    assert three.roles()[former] == "replica"


def test_handing_over_moves_the_primary_before_the_pod_stops(three: RedisDeployment) -> None:
    three.until_healthy(START_SECONDS)
    former = three.primary_ordinal()

    started = time.monotonic()
    three.pods[former].execute("redis", "bash", "/scripts/hand-over.sh")
    log.info("handed over after %.1f s", time.monotonic() - started)
    with three.primary() as client:
        successor = client.get_connection_kwargs()["host"]
        client.set("order", "kept")
        assert client.wait(1, 1000) >= 1
    three.pods[former].stop_container("redis")
    log.info("stopped after %.1f s", time.monotonic() - started)

    assert successor != three.pods[former].address
    assert three.pods[former].exit_code("redis") == 0
    assert found(three, ["order"]) == 1


def roles_of(deployment: RedisDeployment, *ordinals: int) -> list[str]:
    return [deployment.role(ordinal) for ordinal in ordinals]


def local_write(deployment: RedisDeployment, ordinal: int) -> str:
    """The answer to a write from inside the pod, which the host can't reach."""
    ask = 'REDISCLI_AUTH=$(<"$REDIS_PASSWORD_FILE") redis-cli set lost 1'
    return deployment.pods[ordinal].execute("redis", "bash", "-c", ask)


def note_age(deployment: RedisDeployment, stopped: int) -> int:
    """Seconds between the note on a stopped member's volume and the newest note of the others."""
    notes = [int(pod.read_data("progress").split()[0]) for pod in deployment.pods]
    return max(notes) - notes[stopped]
