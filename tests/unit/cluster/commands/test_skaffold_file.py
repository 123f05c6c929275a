"""skaffold.yaml and `make up` name the same releases, values and images: neither can change without the other."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import pytest
import yaml

from doorbuster_cluster.commands.session import Session
from doorbuster_cluster.commands.supply import APPS, OPERATOR, BuiltSupply
from doorbuster_cluster.commands.up import RELEASES, apps_release, install_tasks, operator_release
from doorbuster_cluster.runtime.releases import CHARTS, INSTALL_MINUTES, NAMESPACE, image_values
from doorbuster_cluster.runtime.skaffold import FILE, WATCHED
from doorbuster_cluster.settings import REPOSITORY

OURS = (OPERATOR, APPS)


@dataclass(frozen=True, slots=True, kw_only=True)
class SkaffoldRelease:
    """A release in skaffold.yaml; `flags` are those of the module that it stands in."""

    module: str
    name: str
    chart: str
    namespace: str
    values: tuple[str, ...]
    templates: Mapping[str, str]
    waits: bool
    flags: Mapping[str, list[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SkaffoldImage:
    """An image in skaffold.yaml."""

    module: str
    name: str
    command: str
    paths: frozenset[str]


MODULES = list(yaml.safe_load_all(FILE.read_text()))
SKAFFOLD_RELEASES = [
    SkaffoldRelease(
        module=module["metadata"]["name"],
        name=release["name"],
        chart=release["chartPath"],
        namespace=release["namespace"],
        values=tuple(release["valuesFiles"]),
        templates=release.get("setValueTemplates", {}),
        waits=release["wait"],
        flags=module["deploy"]["helm"]["flags"],
    )
    for module in MODULES
    for release in module["deploy"]["helm"]["releases"]
]
SKAFFOLD_IMAGES = [
    SkaffoldImage(
        module=module["metadata"]["name"],
        name=artifact["image"],
        command=artifact["custom"]["buildCommand"],
        paths=frozenset(artifact["custom"]["dependencies"]["paths"]),
    )
    for module in MODULES
    for artifact in module.get("build", {}).get("artifacts", ())
]
ALL_RELEASES = pytest.mark.parametrize("release", SKAFFOLD_RELEASES, ids=lambda release: release.name)
ALL_IMAGES = pytest.mark.parametrize("image", SKAFFOLD_IMAGES, ids=lambda image: image.name)


def test_the_releases_are_those_of_make_up_in_its_order(session: Session) -> None:
    tasks = [task.name for task in install_tasks(session, BuiltSupply(session=session))]
    installed = [name.removeprefix("release ") for name in tasks if name.startswith("release ")]

    assert [release.name for release in SKAFFOLD_RELEASES] == installed == list(RELEASES)


@ALL_RELEASES
def test_a_release_has_the_chart_and_the_namespace_of_make_up(release: SkaffoldRelease) -> None:
    assert (REPOSITORY / release.chart, release.namespace) == (CHARTS / release.name, NAMESPACE)


@ALL_RELEASES
def test_a_releases_values_are_the_file_that_make_up_wrote(release: SkaffoldRelease) -> None:
    assert release.values == (f"/{{{{.DOORBUSTER_VALUES}}}}/{release.name}.yaml",)


@ALL_RELEASES
def test_helm_waits_as_long_as_in_make_up(release: SkaffoldRelease) -> None:
    assert release.waits
    assert release.flags["install"] == release.flags["upgrade"] == [f"--timeout={INSTALL_MINUTES}m"]


def test_the_images_are_those_that_we_build_from_sources_that_change(session: Session) -> None:
    # With the registry in front, as --default-repo puts it there.
    supply = BuiltSupply(session=session)
    references = [session.images.reference(source) for source in (supply.operator, supply.apps)]

    assert [f"{session.images.prefix}/{image.name}" for image in SKAFFOLD_IMAGES] == [
        reference.rpartition(":")[0] for reference in references
    ]


@ALL_IMAGES
def test_an_image_is_made_by_our_own_builder(image: SkaffoldImage) -> None:
    assert image.command == f".venv/bin/python -m doorbuster_cluster build {image.name}"


@ALL_IMAGES
def test_whatever_goes_into_an_image_is_watched(session: Session, image: SkaffoldImage) -> None:
    supply = BuiltSupply(session=session)
    source = {OPERATOR: supply.operator, APPS: supply.apps}[image.name]

    assert source.lock is not None
    assert {REPOSITORY / path for path in image.paths} == {source.folder, source.lock}


@ALL_RELEASES
def test_a_release_of_ours_runs_exactly_the_image_that_skaffold_pushed(release: SkaffoldRelease) -> None:
    name = release.name
    wanted = {"image.tag": f"{{{{.IMAGE_TAG_{name}}}}}@{{{{.IMAGE_DIGEST_{name}}}}}"} if name in OURS else {}

    assert release.templates == wanted


@pytest.mark.parametrize("make", [operator_release, apps_release])
def test_registry_and_repository_come_from_the_values(session: Session, make: type) -> None:
    release = make(session, BuiltSupply(session=session))
    expected = image_values(f"{session.images.prefix}/{release.name}:any")

    assert {**release.values["image"], "tag": "any"} == expected


def test_the_loop_handles_operator_and_apps_only() -> None:
    assert [release.name for release in SKAFFOLD_RELEASES if release.module == WATCHED] == list(OURS)
    assert {image.module for image in SKAFFOLD_IMAGES} == {WATCHED}


def test_no_file_is_copied_into_a_running_container() -> None:
    assert not re.search(r"^\s*(?:- )?sync:", FILE.read_text(), re.MULTILINE)


def test_no_run_restarts_a_pod_by_its_number() -> None:
    # What is allowed here takes the place of skaffold's own rule for that kind, which is every label inside.
    allowed = {rule["groupKind"]: rule["labels"] for module in MODULES for rule in module["resourceSelector"]["allow"]}

    assert allowed == {"StatefulSet.apps": [".metadata.labels"], "Deployment.apps": [".metadata.labels"]}
