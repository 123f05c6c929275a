"""Each store lets its clients in and nobody else; nothing gets out of the stores' pods but to their peers."""

import pytest

from tests.e2e.kubernetes import Kubernetes, Object, restricted_pod, running_pod
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
