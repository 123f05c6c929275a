import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from doorbuster_cluster.errors import CommandFailed
from doorbuster_cluster.runtime import releases
from doorbuster_cluster.runtime.releases import Release, image_values
from doorbuster_cluster.runtime.toolbox import Toolbox
from tests.unit.cluster.conftest import FakeProgram

DATA = Release(name="data", values={"size": "ha", "redis": {"existingSecret": "redis-credentials"}})


@pytest.fixture(autouse=True)
def charts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of charts that stands in the place of charts/: the library `common` and `data`."""
    folder = tmp_path / "charts"
    monkeypatch.setattr(releases, "CHARTS", folder)
    for name in ("common", "data"):
        (folder / name / "templates").mkdir(parents=True)
        (folder / name / "Chart.yaml").write_text(f"name: {name}\n")
        (folder / name / "values.yaml").write_text("{}\n")
    return folder


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda charts: (charts / "data" / "values.yaml").write_text("a: 1\n"), id="a file of the chart"),
        pytest.param(lambda charts: (charts / "data" / "templates" / "x.yaml").touch(), id="a template more"),
        pytest.param(lambda charts: (charts / "common" / "values.yaml").write_text("a: 1\n"), id="the library chart"),
    ],
)
def test_a_changed_chart_is_another_release(charts: Path, change: Callable[[Path], object]) -> None:
    former = DATA.digest()

    change(charts)

    assert DATA.digest() != former


def test_other_values_are_another_release() -> None:
    assert Release(name="data", values={"size": "small"}).digest() != DATA.digest()


def test_the_order_of_values_does_not_matter() -> None:
    assert Release(name="data", values=dict(sorted(DATA.values.items()))).digest() == DATA.digest()


def test_another_chart_is_none_of_its_business(charts: Path) -> None:
    former = DATA.digest()

    (charts / "apps").mkdir()
    (charts / "apps" / "Chart.yaml").write_text("name: apps\n")

    assert DATA.digest() == former


def test_what_helm_makes_of_dependencies_does_not_count(charts: Path) -> None:
    former = DATA.digest()

    # It packs the library anew whenever its files have other times, as after a checkout.
    (charts / "data" / "charts").mkdir()
    (charts / "data" / "charts" / "common-0.1.0.tgz").write_text("packed at ten")
    (charts / "data" / "Chart.lock").write_text("generated: ten\n")

    assert DATA.digest() == former


def status(**info: str) -> str:
    return f"echo '{json.dumps({'info': info})}'"


def test_a_release_is_current_when_helm_finished_this_very_one(tools: Toolbox, fake_program: FakeProgram) -> None:
    helm = fake_program("helm", status(status="deployed", description=DATA.digest()))

    assert DATA.is_current(tools)
    assert helm.read_text() == "status data --namespace doorbuster --output json\n"


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param("echo 'Error: release: not found' >&2; exit 1", id="not there"),
        pytest.param(status(status="deployed", description="0123456789abcdef"), id="another"),
        pytest.param(status(status="deployed"), id="installed by hand"),
        pytest.param(status(status="failed", description=DATA.name), id="failed"),
    ],
)
def test_other_releases_are_not_current(tools: Toolbox, fake_program: FakeProgram, answer: str) -> None:
    fake_program("helm", answer)

    assert not DATA.is_current(tools)


@pytest.mark.parametrize("state", ["failed", "pending-install", "pending-upgrade", "uninstalling"])
def test_this_release_is_not_current_before_it_is_complete(
    tools: Toolbox, fake_program: FakeProgram, state: str
) -> None:
    fake_program("helm", status(status=state, description=DATA.digest()))

    assert not DATA.is_current(tools)


def test_a_release_is_installed_with_its_values_and_marked_with_its_digest(
    tools: Toolbox, fake_program: FakeProgram, tmp_path: Path, charts: Path
) -> None:
    helm, values = fake_program("helm", ""), tmp_path / "values" / "data.yaml"
    kubectl = fake_program("kubectl", "")

    DATA.install(tools, values)

    # The record of a killed run would make helm refuse.
    assert kubectl.read_text() == (
        "delete secret --namespace doorbuster --selector "
        "owner=helm,name=data,status in (pending-install,pending-upgrade,pending-rollback)\n"
    )

    assert helm.read_text().splitlines() == [
        f"dependency build {charts}/data --skip-refresh",
        f"upgrade --install data {charts}/data --namespace doorbuster --values {values} "
        f"--description {DATA.digest()} --wait --timeout 10m",
    ]
    assert yaml.safe_load(values.read_text()) == DATA.values


def test_a_failure_of_helm_is_shown(tools: Toolbox, fake_program: FakeProgram, tmp_path: Path) -> None:
    fake_program("kubectl", "")
    fake_program("helm", '[ "$1" = dependency ] || { echo "context deadline exceeded" >&2; exit 1; }')

    with pytest.raises(CommandFailed, match="context deadline exceeded"):
        DATA.install(tools, tmp_path / "data.yaml")


@pytest.mark.parametrize(
    ("reference", "registry", "repository", "tag"),
    [
        ("localhost:5001/doorbuster/redis:abc", "localhost:5001", "doorbuster/redis", "abc"),
        ("docker.io/library/redis:8.0", "docker.io", "library/redis", "8.0"),
    ],
)
def test_a_reference_is_taken_apart_as_values_want_it(reference: str, registry: str, repository: str, tag: str) -> None:
    assert image_values(reference) == {"registry": registry, "repository": repository, "tag": tag}
