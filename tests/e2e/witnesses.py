"""Clients that write without pause and print what was acknowledged: the measure of what may not be lost.

They run in the cluster, under its NetworkPolicies, and remember nothing but what a server told them.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.e2e.kubernetes import Kubernetes, restricted_pod, running_pod
from tests.integration.polling import seconds_until

MYSQL_HOSTS = " ".join(f"data-mysql-{ordinal}.data-mysql" for ordinal in range(3))
KAFKA_BOOTSTRAP = ",".join(f"data-kafka-{ordinal}.data-kafka:9092" for ordinal in range(3))
JAVA = ("java", "-Xmx96m", "-XX:TieredStopAtLevel=1", "-cp", "/opt/kafka/libs/*")
# The entry script keeps the password in a file that only the server's account reads.
MYSQL_AS_ROOT = (
    "mysql", "--defaults-file=/run/mysql/root.cnf", "--socket=/run/mysql/mysqld.sock", "--batch", "--skip-column-names",
)  # fmt: skip

# Each attempt has a new number: one whose answer was lost is unknown and is never counted. The members are asked in
# turn; those that aren't the primary refuse writes.
MYSQL_SCRIPT = r"""
printf '[client]\nuser=app\npassword="%s"\nconnect-timeout=2\n' "$PASSWORD" >/tmp/client.cnf
attempt=0
while true; do
  for host in $HOSTS; do
    attempt=$((attempt + 1))
    if timeout 3 mysql --defaults-file=/tmp/client.cnf --host="$host" \
         --execute="INSERT INTO $TABLE VALUES ($attempt)" 2>/tmp/error; then
      echo "acknowledged $attempt"
    fi
  done
  sleep 0.02
done
"""

# Prints one JSON line for each acknowledged message, and retries inside until then.
KAFKA_SCRIPT = r"""
exec java -Xmx96m -XX:TieredStopAtLevel=1 -cp '/opt/kafka/libs/*' org.apache.kafka.tools.VerifiableProducer \
  --bootstrap-server "$BOOTSTRAP" --topic "$TOPIC" --acks -1 --throughput 20 --max-messages -1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """A client that runs now; `acknowledged` is what its server has confirmed so far."""

    kubernetes: Kubernetes
    pod: str
    read: Callable[[str], set[int]]

    def acknowledged(self) -> set[int]:
        """Return the numbers that were acknowledged."""
        return self.read(self.kubernetes.logs(self.pod))

    def wait_for_more(self, count: int, *, within_seconds: float) -> float:
        """Return the seconds until `count` more writes were acknowledged."""
        wanted = len(self.acknowledged()) + count
        return seconds_until(
            lambda: len(self.acknowledged()) >= wanted,
            within_seconds=within_seconds,
            what=f"{count} more acknowledged writes of {self.pod}",
        )


@contextmanager
def mysql_witness(kubernetes: Kubernetes, table: str) -> Iterator[Witness]:
    """Yield a client that inserts growing numbers into the table (database.name)."""
    pod = restricted_pod(
        "witness-mysql",
        image=image_of(kubernetes, "data-mysql"),
        script=MYSQL_SCRIPT,
        labels={"doorbuster.dev/client-mysql": "true"},
        environment={
            "HOSTS": MYSQL_HOSTS,
            "TABLE": table,
            "PASSWORD": {"name": "mysql-credentials", "key": "app-password"},
        },
        user=999,
    )
    with running_pod(kubernetes, pod) as name:
        witness = Witness(kubernetes=kubernetes, pod=name, read=_mysql_numbers)
        witness.wait_for_more(20, within_seconds=60)
        yield witness


@contextmanager
def kafka_witness(kubernetes: Kubernetes, topic: str) -> Iterator[Witness]:
    """Yield a client that produces growing numbers to the topic, with acks=all."""
    pod = restricted_pod(
        "witness-kafka",
        image=image_of(kubernetes, "data-kafka"),
        script=KAFKA_SCRIPT,
        labels={"doorbuster.dev/client-kafka": "true"},
        environment={"BOOTSTRAP": KAFKA_BOOTSTRAP, "TOPIC": topic},
        user=1000,
    )
    with running_pod(kubernetes, pod) as name:
        witness = Witness(kubernetes=kubernetes, pod=name, read=_kafka_numbers)
        witness.wait_for_more(20, within_seconds=90)
        yield witness


def image_of(kubernetes: Kubernetes, statefulset: str) -> str:
    """Return the image that a store runs."""
    containers = kubernetes.get("statefulset", statefulset)["spec"]["template"]["spec"]["containers"]
    return str(containers[0]["image"])


def make_topic(kubernetes: Kubernetes, topic: str) -> None:
    """Make a topic of three partitions with the cluster's replication; does nothing when it is there."""
    kubernetes.execute(
        "data-kafka-0", *JAVA, "org.apache.kafka.tools.TopicCommand", "--bootstrap-server", KAFKA_BOOTSTRAP,
        "--create", "--if-not-exists", "--topic", topic, "--partitions", "3",
    )  # fmt: skip


def stored_in_kafka(kubernetes: Kubernetes, topic: str) -> set[int]:
    """Return everything that can be read from the topic."""
    printed = kubernetes.execute(
        "data-kafka-0", *JAVA, "org.apache.kafka.tools.consumer.ConsoleConsumer", "--bootstrap-server",
        KAFKA_BOOTSTRAP, "--topic", topic, "--from-beginning", "--timeout-ms", "10000",
    )  # fmt: skip
    return {int(line) for line in printed.splitlines() if line.isdecimal()}


def query_mysql(kubernetes: Kubernetes, pod: str, statement: str) -> str:
    """Return the rows that a member answers to a statement as root, over its own socket."""
    return kubernetes.execute(pod, *MYSQL_AS_ROOT, f"--execute={statement}", container="mysql")


def mysql_primary(kubernetes: Kubernetes) -> str:
    """Return the name of the pod that is the group's primary."""
    statement = (
        "SELECT member_host FROM performance_schema.replication_group_members "
        "WHERE member_role = 'PRIMARY' AND member_state = 'ONLINE'"
    )
    for ordinal in range(3):
        pod = f"data-mysql-{ordinal}"
        answer = kubernetes.try_execute(pod, *MYSQL_AS_ROOT, f"--execute={statement}", container="mysql")
        if answer.ok and answer.stdout.strip():
            return answer.stdout.strip().split(".")[0]
    raise AssertionError("no member knows a primary")


def _mysql_numbers(log: str) -> set[int]:
    return {int(line.split()[1]) for line in log.splitlines() if line.startswith("acknowledged ")}


def _kafka_numbers(log: str) -> set[int]:
    events = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    return {int(event["value"]) for event in events if event["name"] == "producer_send_success"}
