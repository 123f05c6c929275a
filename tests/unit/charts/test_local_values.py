"""The values that `make up` writes: with them every image comes from the local registry (PLATFORM_RULES P4)."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from rich.console import Console

from doorbuster_cluster.builds.engine import Engine
from doorbuster_cluster.commands.session import Session
from doorbuster_cluster.commands.supply import BuiltSupply, PulledSupply, Supply
from doorbuster_cluster.commands.up import (
    apps_release,
    complete,
    data_release,
    observability_release,
    operator_release,
)
from doorbuster_cluster.progress import Progress
from doorbuster_cluster.runtime.kind_cluster import ApiServer, KindCluster
from doorbuster_cluster.runtime.releases import CHARTS, Release
from tests.unit.charts.rendering import NAMESPACE, Manifest, helm, packed_dependencies, pods
from tests.unit.cluster.host.machines import settings

MakeRelease = Callable[[Session, Supply], Release]


@pytest.fixture
def session() -> Session:
    engine = Engine(address=None, own=False)
    return Session(settings(cluster="shop"), engine, Progress(Console(file=io.StringIO())))


def images(release: Release, tmp_path: Path) -> set[str]:
    """The images of all pods, the tests' included, when the chart is rendered with the release's values."""
    found = pods(manifests(release, tmp_path), hooks=True)
    return {container["image"] for _, _, pod in found for container in pod["spec"]["containers"]}


def manifests(release: Release, tmp_path: Path) -> tuple[Manifest, ...]:
    """What the chart is when it is rendered with the release's values."""
    packed_dependencies(CHARTS / release.name)
    file = tmp_path / "values.yaml"
    file.write_text(yaml.safe_dump(dict(release.values)))
    answer = helm("template", release.name, CHARTS / release.name, "--namespace", NAMESPACE, "--values", file)
    assert answer.returncode == 0, answer.stderr
    return tuple(filter(None, yaml.safe_load_all(answer.stdout)))


@pytest.mark.parametrize(("make", "number"), [(data_release, 3), (observability_release, 2)])
def test_built_images_come_from_the_local_registry_only(
    session: Session, tmp_path: Path, make: MakeRelease, number: int
) -> None:
    found = images(make(session, BuiltSupply(session=session)), tmp_path)

    assert {image.partition(":5001/doorbuster/")[0] for image in found} == {"localhost"}
    assert len(found) == number


@pytest.mark.parametrize(("make", "number"), [(data_release, 3), (observability_release, 2)])
def test_pulled_images_are_the_published_ones_only(
    session: Session, tmp_path: Path, make: MakeRelease, number: int
) -> None:
    found = images(make(session, PulledSupply(session=session)), tmp_path)

    assert {image.split("/")[0] for image in found} == {"docker.io"}
    assert len(found) == number


@pytest.mark.parametrize("supply", [BuiltSupply, PulledSupply])
@pytest.mark.parametrize(("make", "name"), [(apps_release, "apps"), (operator_release, "operator")])
def test_the_images_of_our_own_programs_are_made_here_in_any_case(
    session: Session, tmp_path: Path, supply: Callable[..., Supply], make: MakeRelease, name: str
) -> None:
    found = images(make(session, supply(session=session)), tmp_path)

    assert {image.rpartition(":")[0] for image in found} == {f"localhost:5001/doorbuster/{name}"}
    assert len(found) == 1


@pytest.mark.parametrize("make", [observability_release, operator_release])
def test_policies_name_the_api_server_of_this_cluster(
    session: Session, tmp_path: Path, make: MakeRelease, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(KindCluster, "api_server", lambda _: ApiServer(address="172.19.0.2", port=6443))

    policies = [
        found
        for found in manifests(complete(session, make(session, BuiltSupply(session=session))), tmp_path)
        if found["kind"] == "NetworkPolicy"
    ]

    assert {"to": [{"ipBlock": {"cidr": "172.19.0.2/32"}}], "ports": [{"port": 6443}]} in [
        {"to": rule.get("to"), "ports": [{"port": port["port"]} for port in rule["ports"]]}
        for policy in policies
        for rule in policy["spec"]["egress"]
    ]
