import re
from dataclasses import replace
from pathlib import Path

import pytest

from doorbuster_cluster.builds import root_file_systems
from doorbuster_cluster.builds.engine import Engine
from doorbuster_cluster.builds.root_file_systems import HOOKS, PACKAGE_LIST, RootFileSystem, debian_mirror
from doorbuster_cluster.errors import ClusterError, CommandFailed
from doorbuster_cluster.process import run
from tests.unit.cluster.conftest import FakeProgram

ENGINE = Engine(address=None, own=False)
ROOT = RootFileSystem(name="redis", suite="trixie", packages=("redis-server", "redis-tools"))
MIRROR = "http://mirror.example/debian/"
# Writes the tarball, which is its last word but one.
MMDEBSTRAP = 'while [ $# -gt 2 ]; do shift; done; echo content > "$1"'
TARGETS = f"""
http://mirror.example/security/ bookworm-security main
{MIRROR} bookworm contrib
{MIRROR} bookworm-updates main
{MIRROR} bookworm main
"""


@pytest.fixture
def apt(fake_program: FakeProgram) -> Path:
    return fake_program("apt-get", f"printf '%s' '{TARGETS.lstrip()}'")


def engine_without_images(fake_program: FakeProgram) -> Path:
    return fake_program("docker", '[ "$1" = import ] || exit 1; test -s "$2"')


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(replace(ROOT, suite="sid"), id="suite"),
        pytest.param(replace(ROOT, packages=("redis-server",)), id="a package less"),
        pytest.param(replace(ROOT, packages=("redis-server", "redis-sentinel")), id="another package"),
        pytest.param(replace(ROOT, name="other"), id="name"),
    ],
)
def test_another_file_system_has_another_reference(other: RootFileSystem) -> None:
    assert other.reference != ROOT.reference


@pytest.mark.parametrize("name", ["HOOKS", "LEFT_OUT"])
def test_changed_rules_change_the_reference(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    former = ROOT.reference

    monkeypatch.setattr(root_file_systems, name, ("true",))

    assert ROOT.reference != former


def test_a_changed_preparation_changes_the_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    former = ROOT.reference

    monkeypatch.setattr(root_file_systems, "BEFORE_PACKAGES", "true")

    assert ROOT.reference != former


def test_the_reference_names_the_image_and_no_registry_in_reach() -> None:
    assert re.fullmatch(r"localhost/doorbuster/root-redis:[0-9a-f]{16}", ROOT.reference)


def test_a_file_system_is_made_and_imported(tmp_path: Path, fake_program: FakeProgram, apt: Path) -> None:
    docker = engine_without_images(fake_program)
    mmdebstrap = fake_program("mmdebstrap", MMDEBSTRAP)

    ROOT.build(ENGINE, tmp_path)

    tarball = tmp_path / "root" / f"redis-{ROOT.reference.rpartition(':')[2]}.tar"
    words = mmdebstrap.read_text()
    assert words.startswith(
        "--mode=root --variant=essential --include=redis-server,redis-tools --dpkgopt=path-exclude="
    )
    assert words.endswith(f" trixie {tarball} {MIRROR}\n")
    assert docker.read_text().splitlines()[-1] == f"import {tarball} {ROOT.reference}"
    assert not tarball.exists()
    assert len(apt.read_text().splitlines()) == 1


@pytest.mark.usefixtures("apt")
def test_documentation_is_left_out_but_licences_are_kept(tmp_path: Path, fake_program: FakeProgram) -> None:
    engine_without_images(fake_program)
    mmdebstrap = fake_program("mmdebstrap", MMDEBSTRAP)

    ROOT.build(ENGINE, tmp_path)

    # dpkg goes by the last option that fits.
    words = mmdebstrap.read_text()
    assert words.index("path-exclude=/usr/share/doc/*") < words.index("path-include=/usr/share/doc/*/copyright")


@pytest.mark.usefixtures("apt")
@pytest.mark.parametrize(("suite", "undated"), [("sid", True), ("trixie", False), ("bookworm", False)])
def test_only_the_suite_that_never_settles_may_be_out_of_date(
    tmp_path: Path, fake_program: FakeProgram, suite: str, *, undated: bool
) -> None:
    engine_without_images(fake_program)
    mmdebstrap = fake_program("mmdebstrap", MMDEBSTRAP)

    replace(ROOT, suite=suite).build(ENGINE, tmp_path)

    assert ('Acquire::Check-Valid-Until "false"' in mmdebstrap.read_text()) is undated


def test_nothing_is_made_when_the_engine_holds_it(tmp_path: Path, fake_program: FakeProgram) -> None:
    docker = fake_program("docker", "exit 0")

    ROOT.build(ENGINE, tmp_path)

    assert docker.read_text() == f"image inspect --format {{{{.Id}}}} {ROOT.reference}\n"
    assert list(tmp_path.glob("root")) == []


@pytest.mark.usefixtures("apt")
def test_a_package_that_cannot_be_installed_is_shown_and_nothing_imported(
    tmp_path: Path, fake_program: FakeProgram
) -> None:
    docker = engine_without_images(fake_program)
    fake_program("mmdebstrap", "echo 'E: Unable to locate package redis-server' >&2; exit 1")

    with pytest.raises(CommandFailed, match="Unable to locate package redis-server"):
        ROOT.build(ENGINE, tmp_path)

    assert "import" not in docker.read_text()


def test_the_mirror_is_that_of_apts_main_archive(apt: Path) -> None:
    assert debian_mirror() == MIRROR
    assert apt.read_text() == "indextargets --format $(REPO_URI) $(CODENAME) $(COMPONENT)\n"


def test_without_a_mirror_there_is_something_to_do(fake_program: FakeProgram) -> None:
    fake_program("apt-get", f"echo '{MIRROR} bookworm-security main'")

    with pytest.raises(ClusterError, match="apt knows no mirror") as refusal:
        debian_mirror()

    assert refusal.value.hint == "look at /etc/apt and run apt-get update"


def a_root_with_traces(root: Path) -> None:
    traces = {
        "etc/apt/sources.list": f"deb {MIRROR} trixie main",
        "etc/apt/sources.list.d/0000main.list": f"deb {MIRROR} trixie main",
        "etc/resolv.conf": "nameserver 192.0.2.53",
        "etc/hostname": "persons-machine",
        "etc/machine-id": "4711",
        "var/log/apt/history.log": MIRROR,
        "var/cache/debconf/config.dat": "answers",
    }
    for name, content in traces.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)


def test_the_finished_file_system_tells_its_packages_and_nothing_about_the_machine(
    tmp_path: Path, fake_program: FakeProgram
) -> None:
    dpkg = fake_program("dpkg-query", "echo 'redis-server 5:8.0.2-1'")
    a_root_with_traces(tmp_path)

    for hook in HOOKS:
        # As mmdebstrap runs them.
        run(["sh", "-c", hook, "exec", tmp_path])

    left = {path.relative_to(tmp_path).as_posix(): path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    left = {name: content for name, content in left.items() if not name.startswith("bin/")}
    assert left == {PACKAGE_LIST: "redis-server 5:8.0.2-1\n", "etc/resolv.conf": "", "etc/hostname": ""}
    assert dpkg.read_text() == f"--admindir={tmp_path}/var/lib/dpkg -W -f ${{Package}} ${{Version}}\\n\n"
