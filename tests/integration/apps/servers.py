"""MySQL, Kafka and Redis for the applications' tests: one pod each, the size `small`, by the charts' own scripts."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from doorbuster.settings import KafkaSettings, MySqlSettings, RedisSettings, Settings
from tests.integration.kafka.cluster import KafkaCluster, kafka_pods
from tests.integration.mysql.deployment import PASSWORDS, MySqlDeployment, mysql_pods
from tests.integration.pods import Pod, PodNetwork, free_network
from tests.integration.redis.deployment import PASSWORD, RedisDeployment, redis_pods

START_SECONDS = 180


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """The running servers, and what a process of the applications must be told to reach them."""

    settings: Settings
    mysql: MySqlDeployment
    kafka: KafkaCluster
    redis: RedisDeployment


@contextmanager
def running_servers(images: Mapping[str, str], folder: Path) -> Iterator[Servers]:
    """Start the three servers side by side and wait for all; they go away with the context.

    Args:
        images: the image of each server.
        folder: where the files of the Secrets are written.
    """
    with ExitStack() as stack:
        networks = [stack.enter_context(free_network()) for _ in range(3)]
        servers = _planned(networks, images, folder)
        for server in (servers.mysql, servers.kafka, servers.redis):
            stack.enter_context(_created(server.pods))
        servers.mysql.until_healthy(START_SECONDS)
        # The wait above writes into a table of its own; the applications' database is theirs alone.
        servers.mysql.administer(0, "DROP TABLE doorbuster.heartbeat")
        servers.kafka.until_complete(START_SECONDS)
        servers.redis.until_healthy(START_SECONDS)
        yield servers


@contextmanager
def _created(pods: Sequence[Pod]) -> Iterator[None]:
    try:
        for pod in pods:
            pod.create()
        yield
    finally:
        for pod in pods:
            for container in pod.plans:
                # pytest shows it only for a test that failed.
                print(f"== {pod.name} {container}\n{pod.logs(container)}")  # noqa: T201
            pod.remove()


def _planned(networks: Sequence[PodNetwork], images: Mapping[str, str], folder: Path) -> Servers:
    for account, password in PASSWORDS.items():
        _secret(folder / "mysql" / f"{account}-password", password)
    redis_password = _secret(folder / "redis" / "password", PASSWORD)
    mysql = mysql_pods(network=networks[0], image=images["mysql"], secrets=folder / "mysql", count=1)
    kafka = kafka_pods(network=networks[1], image=images["kafka"], count=1)
    redis = redis_pods(network=networks[2], image=images["redis"], password_file=redis_password, count=1)
    settings = Settings(
        mysql=MySqlSettings(hosts=(mysql[0].address,), password_file=folder / "mysql" / "app-password"),
        kafka=KafkaSettings(servers=f"{kafka[0].address}:9092"),
        redis=RedisSettings(sentinels=(f"{redis[0].address}:26379",), password_file=redis_password),
    )
    return Servers(
        settings=settings,
        mysql=MySqlDeployment(pods=mysql),
        kafka=KafkaCluster(pods=kafka),
        redis=RedisDeployment(pods=redis),
    )


def _secret(path: Path, text: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.parent.chmod(0o755)
    path.write_text(text)
    path.chmod(0o644)
    return path
