"""Each pod lets its clients in and nobody else, and reaches what it needs and nothing else."""

import pytest

from tests.e2e.kubernetes import Kubernetes, Object, restricted_pod, running_pod
from tests.e2e.shop import APPS
from tests.e2e.witnesses import image_of

CLIENT_PORTS = {"mysql": 3306, "redis": 6379, "kafka": 9092}
# Long enough for a busy machine; a refused connection answers at once.
CONNECT = "timeout 5 bash -c '</dev/tcp/{host}/{port}'"


def client(kubernetes: Kubernetes, name: str, labels: dict[str, str]) -> Object:
    image = image_of(kubernetes, "data-redis")
    return restricted_pod(name, image=image, script="sleep 600", labels=labels, environment={}, user=999)


def connects(kubernetes: Kubernetes, pod: str, host: str, port: int) -> bool:
    return kubernetes.try_execute(pod, "bash", "-c", CONNECT.format(host=host, port=port)).ok


@pytest.mark.parametrize("store", CLIENT_PORTS)
def test_a_labelled_client_connects(healthy: Kubernetes, store: str) -> None:
    pod = client(healthy, f"client-{store}", {f"doorbuster.dev/client-{store}": "true"})
    with running_pod(healthy, pod) as name:
        assert connects(healthy, name, f"data-{store}-0.data-{store}", CLIENT_PORTS[store])


@pytest.mark.parametrize("store", CLIENT_PORTS)
def test_a_pod_without_the_label_is_refused(healthy: Kubernetes, store: str) -> None:
    others = {f"doorbuster.dev/client-{other}": "true" for other in CLIENT_PORTS if other != store}
    with running_pod(healthy, client(healthy, f"stranger-{store}", others)) as name:
        # It does reach another store: its network works, and so it is the policy that refuses.
        reachable = next(other for other in CLIENT_PORTS if other != store)
        assert connects(healthy, name, f"data-{reachable}-0.data-{reachable}", CLIENT_PORTS[reachable])
        assert not connects(healthy, name, f"data-{store}-0.data-{store}", CLIENT_PORTS[store])


@pytest.mark.parametrize(("store", "container"), [("mysql", "mysql"), ("redis", "redis"), ("kafka", "kafka")])
def test_a_store_reaches_its_peers_and_nothing_else(healthy: Kubernetes, store: str, container: str) -> None:
    other = next(name for name in CLIENT_PORTS if name != store)

    def reaches(host: str, port: int) -> bool:
        command = CONNECT.format(host=host, port=port)
        return healthy.try_execute(f"data-{store}-0", "bash", "-c", command, container=container).ok

    assert reaches(f"data-{store}-1.data-{store}", CLIENT_PORTS[store])
    assert not reaches(f"data-{other}-0.data-{other}", CLIENT_PORTS[other])
    assert not reaches("kubernetes.default.svc", 443)


METRICS_PORT = 9100
API_PORT = 8000
PYTHON_CONNECT = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 5)"


def application(kubernetes: Kubernetes, component: str) -> Object:
    return kubernetes.list("pods", f"{APPS},app.kubernetes.io/component={component}")[0]


def reached(kubernetes: Kubernetes, component: str, host: str, port: int) -> bool:
    """Whether a pod of the applications connects; their image has no shell that can."""
    pod = application(kubernetes, component)["metadata"]["name"]
    return kubernetes.try_execute(pod, "python3", "-c", PYTHON_CONNECT, host, str(port)).ok


@pytest.mark.parametrize("component", ["api", "consumer-stock", "relay", "lag-exporter", "issuer"])
def test_metrics_are_for_those_who_say_that_they_read_them(healthy: Kubernetes, component: str) -> None:
    address = application(healthy, component)["status"]["podIP"]
    reader = client(healthy, "reader", {"doorbuster.dev/client-metrics": "true", "doorbuster.dev/client-redis": "true"})
    stranger = client(healthy, "stranger", {"doorbuster.dev/client-redis": "true"})

    with running_pod(healthy, reader) as name:
        assert connects(healthy, name, address, METRICS_PORT)
    with running_pod(healthy, stranger) as name:
        # It does reach Redis: its network works, and so it is the policy that refuses.
        assert connects(healthy, name, "data-redis-0.data-redis", CLIENT_PORTS["redis"])
        assert not connects(healthy, name, address, METRICS_PORT)


@pytest.mark.parametrize("component", ["api", "issuer", "partner"])
def test_what_the_edge_reaches_a_pod_beside_it_does_not(healthy: Kubernetes, component: str) -> None:
    labels = {"doorbuster.dev/client-redis": "true", "doorbuster.dev/client-metrics": "true"}
    with running_pod(healthy, client(healthy, "neighbour", labels)) as name:
        assert connects(healthy, name, "data-redis-0.data-redis", CLIENT_PORTS["redis"])
        assert not connects(healthy, name, application(healthy, component)["status"]["podIP"], API_PORT)


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
    assert reached(healthy, component, *allowed)
    assert not reached(healthy, component, *refused)
    assert not reached(healthy, component, "kubernetes.default.svc", 443)


@pytest.mark.parametrize(
    ("service", "port"), [("observability-prometheus", 9090), ("observability-alertmanager", 9093)]
)
def test_who_asks_prometheus_says_so_and_nobody_asks_alertmanager(healthy: Kubernetes, service: str, port: int) -> None:
    labels = {"doorbuster.dev/client-prometheus": "true", "doorbuster.dev/client-redis": "true"}
    with running_pod(healthy, client(healthy, "asker", labels)) as name:
        assert connects(healthy, name, "data-redis-0.data-redis", CLIENT_PORTS["redis"])
        assert connects(healthy, name, service, port) == (service == "observability-prometheus")
    with running_pod(healthy, client(healthy, "stranger", {"doorbuster.dev/client-redis": "true"})) as name:
        assert connects(healthy, name, "data-redis-0.data-redis", CLIENT_PORTS["redis"])
        assert not connects(healthy, name, service, port)


def test_the_operator_reaches_prometheus_and_the_api_server_and_nothing_else(healthy: Kubernetes) -> None:
    pod = healthy.list("pods", "app.kubernetes.io/instance=operator")[0]["metadata"]["name"]

    def reaches(host: str, port: int) -> bool:
        return healthy.try_execute(pod, "python3", "-c", PYTHON_CONNECT, host, str(port)).ok

    assert reaches("observability-prometheus", 9090)
    assert reaches("kubernetes.default.svc", 443)
    assert not reaches("data-redis-0.data-redis", CLIENT_PORTS["redis"])
    assert not reaches("apps-api", 80)
