"""The chart's Redis as containers: pods with a Redis and a Sentinel each, started by the chart's own scripts."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from redis.sentinel import Sentinel

from tests.integration.pods import ContainerPlan, Pod, PodNetwork
from tests.integration.polling import seconds_until

SCRIPTS = Path(__file__).parents[3] / "charts" / "data" / "files" / "redis"
PRIMARY_NAME = "doorbuster"
REDIS_PORT = 6379
SENTINEL_PORT = 26379
PASSWORD = 'with "quotes" and \\'
# The pods' lives in a test are short; the chart's default is 30 s.
PATIENCE_SECONDS = 12
ANSWER_SECONDS = 1.0
# The library's own habit is to try a dead server for ten seconds and more; here the polling repeats.
ONE_ATTEMPT = Retry(NoBackoff(), 0)
USER = "999:999"


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisDeployment:
    """All pods of one StatefulSet."""

    pods: Sequence[Pod]

    def redis(self, ordinal: int) -> Redis:
        """A client of one instance."""
        return connect(self.pods[ordinal].address, REDIS_PORT)

    def sentinel(self, ordinal: int) -> Redis:
        """A client of one Sentinel."""
        return connect(self.pods[ordinal].address, SENTINEL_PORT)

    def primary(self) -> Redis:
        """A client of the primary, found through the Sentinels as the applications find it."""
        sentinels = [(pod.address, SENTINEL_PORT) for pod in self.pods]
        connection = {
            "password": PASSWORD,
            "socket_timeout": ANSWER_SECONDS,
            "decode_responses": True,
            "retry": ONE_ATTEMPT,
        }
        # The library's Sentinel has no types.
        finder = Sentinel(sentinels, sentinel_kwargs=connection)  # type: ignore[no-untyped-call]
        host, _ = finder.discover_master(PRIMARY_NAME)  # type: ignore[no-untyped-call]
        return connect(host, REDIS_PORT)

    def seen_by_sentinels(self) -> list[tuple[int, int]]:
        """How many replicas and how many other Sentinels each Sentinel counts, ghosts included."""
        seen = []
        for ordinal in range(len(self.pods)):
            with self.sentinel(ordinal) as client:
                primary = client.sentinel_master(PRIMARY_NAME)
                seen.append((primary["num-slaves"], primary["num-other-sentinels"]))
        return seen

    def roles(self) -> list[str]:
        """What each instance says of itself: `primary`, `replica`, `loose replica` (its primary doesn't answer it)."""
        return [self.role(ordinal) for ordinal in range(len(self.pods))]

    def role(self, ordinal: int) -> str:
        """What one instance says of itself, in the words of `roles`."""
        with self.redis(ordinal) as client:
            answer = client.role()
        if answer[0] == "master":
            return "primary"
        return "replica" if answer[3] == "connected" else "loose replica"

    def primary_ordinal(self) -> int:
        """The one instance that says it's the primary."""
        (ordinal,) = [number for number, role in enumerate(self.roles()) if role == "primary"]
        return ordinal

    def until_healthy(self, within_seconds: float) -> float:
        """Seconds until one primary and complete replicas stand, all Sentinels agree, and a write is accepted."""
        return seconds_until(self._healthy, within_seconds=within_seconds, what="one primary, the others follow it")

    def until_failed_over(self, former: int, within_seconds: float) -> float:
        """Seconds until the Sentinels name another primary than `former`, and that one accepts a write."""
        return seconds_until(lambda: self._moved_from(former), within_seconds=within_seconds, what="a new primary")

    def logs(self) -> str:
        """The output of all containers."""
        return "\n".join(f"== {pod.name} {name}\n{pod.logs(name)}" for pod in self.pods for name in pod.plans)

    def _healthy(self) -> bool:
        others = len(self.pods) - 1
        return (
            sorted(self.roles()) == ["primary"] + ["replica"] * others
            and all(self._sentinel_agrees(ordinal) for ordinal in range(len(self.pods)))
            and self._accepts_a_write()
        )

    def _sentinel_agrees(self, ordinal: int) -> bool:
        with self.sentinel(ordinal) as client:
            host, _ = client.sentinel_get_master_addr_by_name(PRIMARY_NAME, return_responses=True)
        return bool(host == self.pods[self.primary_ordinal()].address)

    def _moved_from(self, former: int) -> bool:
        with self.primary() as client:
            host = client.get_connection_kwargs()["host"]
            return bool(host != self.pods[former].address and client.set("probe", "1"))

    def _accepts_a_write(self) -> bool:
        with self.primary() as client:
            return bool(client.set("probe", "1"))


def connect(host: str, port: int) -> Redis:
    """A client that gives up soon."""
    return Redis(
        host=host,
        port=port,
        password=PASSWORD,
        socket_timeout=ANSWER_SECONDS,
        socket_connect_timeout=ANSWER_SECONDS,
        decode_responses=True,
        retry=ONE_ATTEMPT,
    )


def redis_pods(*, network: PodNetwork, image: str, password_file: Path, count: int) -> list[Pod]:
    """The pods as the StatefulSet makes them; none is created yet."""
    services = " ".join(f"redis-{ordinal}" for ordinal in range(count))
    return [
        Pod(
            name=f"redis-{ordinal}",
            address=network.address(ordinal),
            network=network,
            image=image,
            user=USER,
            plans={
                container: ContainerPlan(
                    command=["bash", f"/scripts/start-{container}.sh"],
                    environment=pod_environment(f"redis-{ordinal}", services, count=count),
                    mounts={SCRIPTS: "/scripts", password_file: "/secrets/redis/password"},
                    writable=["/run/redis"],
                    memory="320m",
                )
                for container in ("redis", "sentinel")
            },
        )
        for ordinal in range(count)
    ]


def pod_environment(name: str, services: str, *, count: int) -> dict[str, str]:
    """The environment of both containers; the rendering tests compare its names with the chart's."""
    return {
        "POD_NAME": name,
        "POD_NAMESPACE": "doorbuster",
        "REDIS_SERVICES": services,
        "REDIS_PASSWORD_FILE": "/secrets/redis/password",
        "REDIS_MAXMEMORY": "128mb",
        "REDIS_MIN_REPLICAS_TO_WRITE": "1" if count > 1 else "0",
        "REDIS_QUORUM": "2" if count > 1 else "1",
        "REDIS_PATIENCE_SECONDS": str(PATIENCE_SECONDS),
    }
