import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from doorbuster_cluster.builds.engine import Engine
from doorbuster_cluster.runtime.kind_cluster import KindCluster
from doorbuster_cluster.runtime.toolbox import Toolbox
from doorbuster_cluster.settings import read_settings

pytestmark = pytest.mark.integration


@pytest.fixture
def cluster(engine: Engine, tmp_path: Path) -> Iterator[KindCluster]:
    """A cluster that gets a network and never a node."""
    name = f"net-test-{uuid.uuid4().hex[:8]}"
    settings = read_settings({"DOORBUSTER_CLUSTER": name, "DOORBUSTER_CACHE": str(tmp_path)})
    made = KindCluster(settings=settings, tools=Toolbox(settings=settings, engine=engine))
    yield made
    made.delete()


def test_a_container_can_have_the_last_address_of_the_clusters_network(
    cluster: KindCluster, engine: Engine, images: dict[str, str]
) -> None:
    cluster._create_network()
    cluster._create_network()  # there already: nothing to do

    address = cluster._last_address()
    # An address of one's own choice is refused on networks whose subnet the engine chose.
    hosts = engine.docker(
        "run", "--rm", "--network", cluster.settings.cluster, "--ip", address, "--entrypoint", "cat",
        images["redis"], "/etc/hosts",
    )  # fmt: skip

    assert address in hosts.split()


def test_a_deleted_clusters_network_is_gone(cluster: KindCluster, engine: Engine) -> None:
    cluster._create_network()

    cluster.delete()

    assert not engine.try_docker("network", "inspect", cluster.settings.cluster).ok
    assert not cluster.exists()
