import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from doorbuster_cluster.builds.go_programs import (
    KUBERNETES_VERSION,
    PROGRAMS,
    GoProgram,
    GoWorkshop,
)
from doorbuster_cluster.errors import CommandFailed
from doorbuster_cluster.settings import REPOSITORY
from tests.unit.cluster.builds.conftest import Compiler
from tests.unit.cluster.conftest import FakeProgram

MODULES = REPOSITORY / "cluster" / "go"
HELM = GoProgram(name="helm", package="helm.sh/helm/cmd/helm", stamps=("version.text=v4",))


@pytest.fixture
def workshop(tmp_path: Path, sources: Path) -> GoWorkshop:
    assert sources.is_dir()
    return GoWorkshop(cache=tmp_path / "cache")


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda folder: (folder / "go.mod").write_text("module other\n"), id="content"),
        pytest.param(lambda folder: (folder / "go.sum").write_text(""), id="a file more"),
        pytest.param(lambda folder: (folder / "go.mod").rename(folder / "mod.go"), id="name"),
    ],
)
def test_changed_sources_are_another_program(
    workshop: GoWorkshop, sources: Path, go: Compiler, change: Callable[[Path], object]
) -> None:
    go("1.26.8")
    former = workshop.path(HELM)

    change(sources / "helm")

    assert workshop.path(HELM) != former


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(replace(HELM, stamps=("version.text=v5",)), id="stamps"),
        pytest.param(replace(HELM, stamps=()), id="no stamps"),
        pytest.param(replace(HELM, package="."), id="package"),
    ],
)
def test_other_stamps_or_another_package_make_another_program(
    workshop: GoWorkshop, go: Compiler, other: GoProgram
) -> None:
    go("1.26.8")

    assert workshop.path(other) != workshop.path(HELM)


def test_another_compiler_makes_another_program(workshop: GoWorkshop, go: Compiler) -> None:
    go("1.26.8")
    former = workshop.path(HELM)

    go("1.26.9")

    assert workshop.path(HELM) != former


def test_the_same_inputs_are_the_same_program_in_every_cache(
    tmp_path: Path, workshop: GoWorkshop, go: Compiler
) -> None:
    go("1.26.8")

    assert GoWorkshop(cache=tmp_path / "other").digest(HELM) == workshop.digest(HELM)


def test_a_program_is_compiled_where_its_sources_lie_with_modules_and_cache_of_ours(
    workshop: GoWorkshop, sources: Path, go: Compiler
) -> None:
    calls = go("1.26.8")

    workshop.build(HELM)

    environment = workshop.path(HELM).read_text().splitlines()
    assert {
        "CGO_ENABLED=0",
        "GOFLAGS=",
        "GOWORK=off",
        "GOTOOLCHAIN=local",
        f"GOCACHE={workshop.cache}/go/build",
        f"GOMODCACHE={workshop.cache}/go/modules",
        f"PWD={sources}/helm",
    } <= set(environment)
    unfinished = workshop.path(HELM).with_name("helm.unfinished")
    assert calls.read_text().splitlines()[1:] == [
        "build -p 2 -mod=readonly -trimpath -buildvcs=false -ldflags -s -w -X version.text=v4 "
        f"-o {unfinished} helm.sh/helm/cmd/helm"
    ]
    assert not unfinished.exists()


def test_a_kept_program_is_not_compiled_again(workshop: GoWorkshop, go: Compiler) -> None:
    calls = go("1.26.8")
    workshop.build(HELM)
    workshop.build(HELM)

    assert workshop.has(HELM)
    assert calls.read_text().count("build -p") == 1


def test_a_program_that_does_not_compile_is_not_kept(workshop: GoWorkshop, fake_program: FakeProgram) -> None:
    fake_program("go", '[ "$1" = env ] && echo go1.26.8 && exit; echo "undefined: Main" >&2; exit 1')

    with pytest.raises(CommandFailed, match=r"(?s)go-helm-\w+ failed \(1\):.*undefined: Main"):
        workshop.build(HELM)

    assert not workshop.has(HELM)


def test_older_versions_are_dropped_but_no_program_whose_name_begins_alike(workshop: GoWorkshop, go: Compiler) -> None:
    go("1.26.8")
    programs = workshop.cache / "programs"
    older = f"helm-{'0' * 16}"
    others = [f"helm-unittest-{'0' * 16}", "helm-v4.3.1", f"kind-{'0' * 16}"]
    for name in (older, *others):
        (programs / name).mkdir(parents=True)

    workshop.build(HELM)

    assert sorted(folder.name for folder in programs.iterdir()) == sorted([*others, workshop.path(HELM).parent.name])


def test_the_longer_name_leaves_the_shorter_alone(workshop: GoWorkshop, sources: Path, go: Compiler) -> None:
    go("1.26.8")
    (sources / "helm-unittest").mkdir()
    unittest = GoProgram(name="helm-unittest")
    workshop.build(HELM)

    workshop.build(unittest)

    assert (workshop.has(HELM), workshop.has(unittest)) == (True, True)


def test_the_compilers_caches_go_although_modules_are_read_only(workshop: GoWorkshop) -> None:
    module = workshop.cache / "go" / "modules" / "example.org@v1"
    module.mkdir(parents=True)
    (module / "main.go").write_text("package main\n")
    (module / "main.go").chmod(0o444)
    module.chmod(0o555)

    workshop.drop_compiler_caches()

    assert not (workshop.cache / "go").exists()


def test_without_caches_there_is_nothing_to_drop(workshop: GoWorkshop) -> None:
    workshop.drop_compiler_caches()

    assert not workshop.cache.exists()


def test_every_module_is_a_program_and_every_program_has_one() -> None:
    assert sorted(folder.name for folder in MODULES.iterdir() if folder.is_dir()) == sorted(PROGRAMS)


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=lambda program: program.name)
def test_a_programs_main_package_is_there(program: GoProgram) -> None:
    folder = MODULES / program.name
    if program.package == ".":
        assert "package main" in (folder / "main.go").read_text()
    else:
        modules = re.findall(r"^\s*(?:require )?(\S+) v\d", (folder / "go.mod").read_text(), re.MULTILINE)
        assert any(f"{program.package}/".startswith(f"{module}/") for module in modules)


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=lambda program: program.name)
def test_every_module_with_requirements_is_pinned_by_checksums(program: GoProgram) -> None:
    folder = MODULES / program.name
    requires = "require" in (folder / "go.mod").read_text()

    assert (folder / "go.sum").exists() is requires


@pytest.mark.parametrize("package", ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"])
def test_kubernetes_is_stamped_with_its_version_in_both_packages(package: str) -> None:
    stamps = PROGRAMS["hyperkube"].stamps

    assert {
        f"{package}.gitVersion={KUBERNETES_VERSION}",
        f"{package}.gitMajor=1",
        f"{package}.gitMinor=35",
        f"{package}.gitTreeState=clean",
    } <= set(stamps)
