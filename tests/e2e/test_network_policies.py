"""Each pod lets its clients in and nobody else, and reaches what it needs and nothing else."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import pytest

from tests.e2e.kubernetes import Kubernetes, restricted_pod, running_pod
from tests.e2e.shop import pod_of
from tests.e2e.witnesses import image_of
from tests.integration.polling import seconds_until

CLIENT_PORTS = {"mysql": 3306, "redis": 6379, "kafka": 9092}
METRICS_PORT = 9100
API_PORT = 8000
# Long enough for a busy machine; a refused connection answers at once.
BASH = ("bash", "-c", 'timeout 5 bash -c "</dev/tcp/$0/$1"')
# The applications' image has no shell that connects.
PYTHON = ("python3", "-c", "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 5)")
# Until its next look at the API server, kube-router lets a new pod reach nobody; on a busy node that takes seconds,
# and a question to DNS that was lost then is asked again after five.
KNOWN_SECONDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A pod from which connections are tried.

    Attributes:
        connect: the program that tries; host and port are its last arguments.
    """

    kubernetes: Kubernetes
    pod: str
    connect: tuple[str, ...] = PYTHON
    container: str | None = None

    def connects(self, host: str, port: int) -> bool:
        """Return whether one attempt succeeds."""
        words = (*self.connect, host, str(port))
        return self.kubernetes.try_execute(self.pod, *words, container=self.container).ok

    def wait_until_connects(self, host: str, port: int) -> None:
        """Raise AssertionError unless an attempt succeeds in time.

        What follows is a refusal by policy then: the pod's network and its DNS work, and its labels are known.
        """
        what = f"{self.pod} connects to {host}:{port}"
        seconds_until(lambda: self.connects(host, port), within_seconds=KNOWN_SECONDS, what=what)


Client = Callable[..., Caller]


@pytest.fixture(scope="module")
def client(kubernetes: Kubernetes) -> Iterator[Client]:
    """Makes pods that say whose clients they are: `client("redis", "metrics")`; the same one for the same words."""
    made: dict[frozenset[str], Caller] = {}
    with ExitStack() as pods:

        def client(*of: str) -> Caller:
            if (key := frozenset(of)) not in made:
                made[key] = pods.enter_context(_running(kubernetes, *sorted(key)))
            return made[key]

        yield client


@contextmanager
def _running(kubernetes: Kubernetes, *of: str) -> Iterator[Caller]:
    labels = {f"doorbuster.dev/client-{each}": "true" for each in of}
    image = image_of(kubernetes, "data-redis")
    name = "-".join(("client", *of))
    pod = restricted_pod(name, image=image, script="sleep infinity", labels=labels, environment={}, user=999, cpu="1m")
    with running_pod(kubernetes, pod):
        yield Caller(kubernetes=kubernetes, pod=name, connect=BASH)


def member(store: str, ordinal: int = 0) -> tuple[str, int]:
    """Return where a store's clients find one of its members."""
    return f"data-{store}-{ordinal}.data-{store}", CLIENT_PORTS[store]


@pytest.mark.parametrize("store", CLIENT_PORTS)
def test_a_labelled_client_connects(healthy: Kubernetes, client: Client, store: str) -> None:
    client(store).wait_until_connects(*member(store))


@pytest.mark.parametrize("store", CLIENT_PORTS)
def test_a_pod_without_the_label_is_refused(healthy: Kubernetes, client: Client, store: str) -> None:
    others = [other for other in CLIENT_PORTS if other != store]
    stranger = client(*others)
    for other in others:
        stranger.wait_until_connects(*member(other))
    assert not stranger.connects(*member(store))


@pytest.mark.parametrize("store", CLIENT_PORTS)
def test_a_store_reaches_its_peers_and_nothing_else(healthy: Kubernetes, store: str) -> None:
    other = next(name for name in CLIENT_PORTS if name != store)
    caller = Caller(kubernetes=healthy, pod=f"data-{store}-0", connect=BASH, container=store)

    caller.wait_until_connects(*member(store, 1))
    assert not caller.connects(*member(other))
    assert not caller.connects("kubernetes.default.svc", 443)


def application(kubernetes: Kubernetes, component: str) -> Caller:
    """Return a pod of the applications, as one that connects."""
    return Caller(kubernetes=kubernetes, pod=pod_of(kubernetes, component)["metadata"]["name"])


def address(kubernetes: Kubernetes, component: str) -> str:
    """Return where a pod of the applications is; not all of its ports have a Service."""
    return str(pod_of(kubernetes, component)["status"]["podIP"])


@pytest.mark.parametrize("component", ["api", "consumer-stock", "relay", "lag-exporter", "issuer"])
def test_metrics_are_for_those_who_say_that_they_read_them(healthy: Kubernetes, client: Client, component: str) -> None:
    metrics = (address(healthy, component), METRICS_PORT)
    client("redis", "metrics").wait_until_connects(*metrics)
    client("redis").wait_until_connects(*member("redis"))
    assert not client("redis").connects(*metrics)


@pytest.mark.parametrize("component", ["api", "issuer", "partner"])
def test_what_the_edge_reaches_a_pod_beside_it_does_not(healthy: Kubernetes, client: Client, component: str) -> None:
    neighbour = client("redis", "metrics")
    neighbour.wait_until_connects(*member("redis"))
    assert not neighbour.connects(address(healthy, component), API_PORT)


@pytest.mark.parametrize(
    ("component", "allowed", "refused"),
    [
        ("api", ("data-redis-0.data-redis", 6379), ("apps-partner", 80)),
        ("consumer-external-data", ("apps-partner", 80), ("apps-api", 80)),
        ("consumer-stock", ("data-redis-0.data-redis", 6379), ("apps-partner", 80)),
        ("relay", ("data-kafka-0.data-kafka", 9092), ("apps-api", 80)),
        ("watch", ("data-mysql-0.data-mysql", 3306), ("apps-partner", 80)),
        ("audit", ("data-mysql-0.data-mysql", 3306), ("data-kafka-0.data-kafka", 9092)),
        ("lag-exporter", ("data-kafka-0.data-kafka", 9092), ("data-mysql-0.data-mysql", 3306)),
    ],
)
def test_an_application_reaches_what_it_needs_and_nothing_else(
    healthy: Kubernetes, component: str, allowed: tuple[str, int], refused: tuple[str, int]
) -> None:
    caller = application(healthy, component)
    caller.wait_until_connects(*allowed)
    assert not caller.connects(*refused)
    assert not caller.connects("kubernetes.default.svc", 443)


PROMETHEUS = ("observability-prometheus", 9090)
ALERTMANAGER = ("observability-alertmanager", 9093)


def test_who_asks_prometheus_says_so_and_nobody_asks_alertmanager(healthy: Kubernetes, client: Client) -> None:
    asker = client("redis", "prometheus")
    asker.wait_until_connects(*PROMETHEUS)
    assert not asker.connects(*ALERTMANAGER)
    stranger = client("redis")
    stranger.wait_until_connects(*member("redis"))
    assert not stranger.connects(*PROMETHEUS)
    assert not stranger.connects(*ALERTMANAGER)


def test_the_operator_reaches_prometheus_and_the_api_server_and_nothing_else(healthy: Kubernetes) -> None:
    pod = healthy.list("pods", "app.kubernetes.io/instance=operator")[0]["metadata"]["name"]
    operator = Caller(kubernetes=healthy, pod=pod)
    operator.wait_until_connects(*PROMETHEUS)
    operator.wait_until_connects("kubernetes.default.svc", 443)
    assert not operator.connects(*member("redis"))
    assert not operator.connects("apps-api", 80)
