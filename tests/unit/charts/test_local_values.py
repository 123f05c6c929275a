"""The values that `make up` writes: with them every image comes from the local registry (PLATFORM_RULES P4)."""

import io
from pathlib import Path

import pytest
import yaml
from rich.console import Console

from doorbuster_cluster.builds.engine import Engine
from doorbuster_cluster.commands.session import Session
from doorbuster_cluster.commands.supply import BuiltSupply, PulledSupply
from doorbuster_cluster.commands.up import apps_release, data_release
from doorbuster_cluster.progress import Progress
from doorbuster_cluster.runtime.releases import CHARTS, Release
from tests.unit.charts.rendering import NAMESPACE, Manifest, helm, packed_dependencies, pods
from tests.unit.cluster.host.machines import settings


@pytest.fixture
def session() -> Session:
    engine = Engine(address=None, own=False)
    return Session(settings(cluster="shop"), engine, Progress(Console(file=io.StringIO())))


def images(release: Release, tmp_path: Path) -> set[str]:
    """The images of all pods, the tests' included, when the chart is rendered with the release's values."""
    packed_dependencies(CHARTS / release.name)
    file = tmp_path / "values.yaml"
    file.write_text(yaml.safe_dump(dict(release.values)))
    answer = helm("template", release.name, CHARTS / release.name, "--namespace", NAMESPACE, "--values", file)
    assert answer.returncode == 0, answer.stderr
    manifests: tuple[Manifest, ...] = tuple(filter(None, yaml.safe_load_all(answer.stdout)))
    return {container["image"] for _, _, pod in pods(manifests, hooks=True) for container in pod["spec"]["containers"]}


def test_built_images_come_from_the_local_registry_only(session: Session, tmp_path: Path) -> None:
    found = images(data_release(session, BuiltSupply(session=session)), tmp_path)

    assert {image.partition(":5001/doorbuster/")[0] for image in found} == {"localhost"}
    assert len(found) == 3


def test_pulled_images_are_the_published_ones_only(session: Session, tmp_path: Path) -> None:
    found = images(data_release(session, PulledSupply(session=session)), tmp_path)

    assert {image.split("/")[0] for image in found} == {"docker.io"}
    assert len(found) == 3


@pytest.mark.parametrize("supply", [BuiltSupply, PulledSupply])
def test_the_applications_image_is_ours_in_any_case(
    session: Session, tmp_path: Path, supply: type[BuiltSupply] | type[PulledSupply]
) -> None:
    found = images(apps_release(session, supply(session=session)), tmp_path)

    assert {image.rpartition(":")[0] for image in found} == {"localhost:5001/doorbuster/apps"}
    assert len(found) == 1
