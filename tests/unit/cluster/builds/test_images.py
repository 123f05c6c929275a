import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from doorbuster_cluster.builds import images
from doorbuster_cluster.builds.engine import Engine
from doorbuster_cluster.builds.go_programs import PROGRAMS, GoWorkshop
from doorbuster_cluster.builds.images import BESIDE_SOURCES, FOLDER, ImageSource, ImageWorkshop, read_source
from doorbuster_cluster.builds.root_file_systems import PublishedRoot, RootFileSystem
from doorbuster_cluster.errors import ClusterError
from tests.unit.cluster.builds.conftest import Compiler
from tests.unit.cluster.conftest import FakeProgram

ENGINE = Engine(address=None, own=False)
NAMES = sorted({folder.name for folder in FOLDER.iterdir() if folder.is_dir()} | BESIDE_SOURCES.keys())
EDGE = 'suite = "trixie"\npackages = ["ca-certificates"]\nprograms = ["helm"]\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of images that stands in the place of cluster/images; it holds `edge`."""
    folder = tmp_path / "images"
    monkeypatch.setattr(images, "FOLDER", folder)
    (folder / "edge").mkdir(parents=True)
    (folder / "edge" / "image.toml").write_text(EDGE)
    (folder / "edge" / "Dockerfile").write_text("ARG ROOT\nFROM ${ROOT}\n")
    (folder / "edge" / "start.sh").write_text("#!/bin/sh\n")
    return folder


@pytest.fixture
def workshop(tmp_path: Path, folder: Path, sources: Path, go: Compiler) -> ImageWorkshop:
    """A workshop whose only program, `helm`, is built."""
    assert folder.is_dir()
    assert sources.is_dir()
    go("1.26.8")
    GoWorkshop(cache=tmp_path / "cache").build(PROGRAMS["helm"])
    return ImageWorkshop(engine=ENGINE, cache=tmp_path / "cache", prefix="localhost:5001/doorbuster")


@pytest.mark.parametrize("name", NAMES)
def test_every_image_says_what_it_is_made_of(name: str) -> None:
    source = read_source(name)

    assert source.name == name
    assert set(source.programs) <= PROGRAMS.keys()
    assert source.root is None or (isinstance(source.root, RootFileSystem) and source.root.packages)


@pytest.mark.parametrize("name", NAMES)
def test_every_dockerfile_uses_what_its_image_is_made_of_and_nothing_else(name: str) -> None:
    source, dockerfile = read_source(name), (read_source(name).folder / "Dockerfile").read_text()

    assert ("ARG ROOT\n" in dockerfile) is (source.root is not None)
    assert set(re.findall(r"\bprograms/([\w-]+)", dockerfile)) == set(source.programs)
    assert ("COPY jars/ " in dockerfile) is source.jars
    assert ("COPY packages/ " in dockerfile) is (source.lock is not None)


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"node", "system", "registry"}))
def test_images_of_pods_name_a_user_other_than_root_by_number(name: str) -> None:
    user = re.findall(r"^USER (\d+):\d+$", (read_source(name).folder / "Dockerfile").read_text(), re.MULTILINE)

    # Kubernetes' runAsNonRoot can't judge a name.
    assert user
    assert int(user[-1]) > 0


def test_what_is_not_said_is_not_there(folder: Path) -> None:
    (folder / "edge" / "image.toml").write_text("")

    source = read_source("edge")

    assert (source.root, source.programs, source.jars) == (None, (), False)


def test_a_key_that_nobody_reads_is_refused(folder: Path) -> None:
    path = folder / "edge" / "image.toml"
    path.write_text('sweet = 1\npackage = ["redis"]\n')

    with pytest.raises(ClusterError) as refusal:
        read_source("edge")

    assert str(refusal.value) == f"{path} has unknown keys: package, sweet"


def test_an_image_that_is_not_there_is_refused(folder: Path) -> None:
    with pytest.raises(ClusterError) as refusal:
        read_source("ghost")

    assert str(refusal.value) == f"there is no image named 'ghost': {folder}/ghost/image.toml is missing"


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda root: (root / "Dockerfile").write_text("FROM scratch\n"), id="Dockerfile"),
        pytest.param(lambda root: (root / "start.sh").write_text("#!/bin/bash\n"), id="a file's content"),
        pytest.param(lambda root: (root / "start.sh").chmod(0o755), id="an executable bit"),
        pytest.param(lambda root: (root / "start.sh").rename(root / "begin.sh"), id="a file's name"),
        pytest.param(lambda root: (root / "more").mkdir() or (root / "more" / "x").touch(), id="a file more"),
        pytest.param(lambda root: (root / "image.toml").write_text(EDGE.replace("trixie", "sid")), id="suite"),
        pytest.param(lambda root: (root / "image.toml").write_text(EDGE + "jars = true\n"), id="jars"),
    ],
)
def test_the_reference_changes_with_everything_in_the_folder(
    workshop: ImageWorkshop, folder: Path, change: Callable[[Path], object]
) -> None:
    former = workshop.reference(read_source("edge"))

    change(folder / "edge")

    assert workshop.reference(read_source("edge")) != former


def test_the_reference_changes_with_the_rules_for_the_base(
    workshop: ImageWorkshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    former = workshop.reference(read_source("edge"))

    monkeypatch.setattr("doorbuster_cluster.builds.root_file_systems.HOOKS", ("true",))

    assert workshop.reference(read_source("edge")) != former


def test_the_reference_changes_with_a_programs_sources(workshop: ImageWorkshop, sources: Path) -> None:
    former = workshop.reference(read_source("edge"))

    (sources / "helm" / "go.sum").touch()

    assert workshop.reference(read_source("edge")) != former


def test_the_reference_changes_with_the_compiler(workshop: ImageWorkshop, go: Compiler) -> None:
    former = workshop.reference(read_source("edge"))

    go("1.26.9")

    assert workshop.reference(read_source("edge")) != former


def test_a_reference_is_the_place_in_the_local_registry(workshop: ImageWorkshop) -> None:
    assert re.fullmatch(r"localhost:5001/doorbuster/edge:[0-9a-f]{16}", workshop.reference(read_source("edge")))


def engine_holding(fake_program: FakeProgram, image: str) -> Path:
    """Put a docker on PATH that holds one image, and lists the context's files when it builds."""
    return fake_program(
        "docker",
        f'case "$*" in "image inspect "*/{image}) exit 0;; "image inspect "*) exit 1;;\n'
        f'build*) for context; do :; done; cd "$context" && find . -type f | sort > "{"$0"}.context";; esac',
    )


def test_a_context_holds_folder_and_programs_and_is_gone_afterwards(
    workshop: ImageWorkshop, fake_program: FakeProgram
) -> None:
    engine_holding(fake_program, "root-edge:*")
    source = read_source("edge")

    with workshop.context(source) as context:
        files = sorted(path.relative_to(context).as_posix() for path in context.rglob("*") if path.is_file())
        program = (context / "programs" / "helm").read_bytes()

    assert files == ["Dockerfile", "image.toml", "programs/helm", "start.sh"]
    assert program == GoWorkshop(cache=workshop.cache).path(PROGRAMS["helm"]).read_bytes()
    assert not context.exists()


def test_a_context_holds_the_jars(workshop: ImageWorkshop, folder: Path, fake_program: FakeProgram) -> None:
    engine_holding(fake_program, "root-edge:*")
    fake_program(
        "mvn",
        'for w; do case $w in -DoutputDirectory=*) f=${w#*=};; esac; done; mkdir -p "$f"; printf one > "$f/a.jar"',
    )
    (folder / "edge" / "pom.xml").write_text("<project/>")
    one = "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed"
    (folder / "edge" / "jars.sha256").write_text(f"{one}  a.jar\n")

    with workshop.context(replace(read_source("edge"), jars=True)) as context:
        assert (context / "jars" / "a.jar").read_text() == "one"


@pytest.fixture
def locked(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ImageSource:
    """The image `edge` with Python packages, and pip as it unpacks one."""

    def unpack(lock: Path, cache: Path) -> Path:
        package = cache / "wheels" / "x" / "msgspec"
        package.mkdir(parents=True, exist_ok=True)
        (package / "__init__.py").write_text(lock.read_text())
        return package.parent

    monkeypatch.setattr(images, "REPOSITORY", tmp_path)
    monkeypatch.setattr(images, "fetch_wheels", unpack)
    (tmp_path / "apps.txt").write_text("msgspec==1")
    (folder / "edge" / "image.toml").write_text(EDGE + 'lock = "apps.txt"\npublished = "docker.io/library/python:3"\n')
    return read_source("edge")


def test_a_context_holds_the_python_packages(
    workshop: ImageWorkshop, locked: ImageSource, fake_program: FakeProgram
) -> None:
    engine_holding(fake_program, "root-edge:*")

    with workshop.context(locked) as context:
        assert (context / "packages" / "msgspec" / "__init__.py").read_text() == "msgspec==1"


def test_what_python_compiled_here_is_not_in_a_context(
    workshop: ImageWorkshop, folder: Path, fake_program: FakeProgram
) -> None:
    engine_holding(fake_program, "root-edge:*")
    (folder / "edge" / "src" / "__pycache__").mkdir(parents=True)
    (folder / "edge" / "src" / "__pycache__" / "api.cpython-311.pyc").touch()

    with workshop.context(read_source("edge")) as context:
        assert (context / "src").is_dir()
        assert list(context.rglob("*.pyc")) == []


def test_the_reference_changes_with_the_locked_packages(workshop: ImageWorkshop, locked: ImageSource) -> None:
    former = workshop.reference(locked)
    assert locked.lock is not None

    locked.lock.write_text("msgspec==2")

    assert workshop.reference(locked) != former


def test_on_a_published_base_it_is_another_image_whose_base_is_pulled(
    workshop: ImageWorkshop, locked: ImageSource, fake_program: FakeProgram
) -> None:
    docker = fake_program("docker", '[ "$1" != image ] || exit 1')
    published = locked.on_published_root()

    reference = workshop.reference(published)
    workshop.build(published, reference)

    assert published.root == PublishedRoot(reference="docker.io/library/python:3")
    assert reference != workshop.reference(locked)
    calls = docker.read_text().splitlines()
    assert "pull --quiet docker.io/library/python:3" in calls
    assert "--build-arg ROOT=docker.io/library/python:3 " in calls[-1]
    assert workshop.installed(published, reference) == ()


def test_an_image_without_a_published_base_stays_as_it_is(folder: Path) -> None:
    assert folder.is_dir()
    assert read_source("edge").on_published_root() == read_source("edge")


def test_an_image_is_built_without_network_on_its_base(workshop: ImageWorkshop, fake_program: FakeProgram) -> None:
    calls = engine_holding(fake_program, "root-edge:*")
    source = read_source("edge")
    assert source.root is not None

    reference = workshop.reference(source)
    workshop.build(source, reference)

    context = str(workshop.cache / "image-edge-")
    assert (
        calls.read_text()
        .splitlines()[-1]
        .startswith(
            f"build --quiet --network none --tag {reference} --build-arg ROOT={source.root.reference} {context}"
        )
    )
    assert calls.with_name("docker.context").read_text().split() == [
        "./Dockerfile",
        "./image.toml",
        "./programs/helm",
        "./start.sh",
    ]


def test_an_image_that_the_engine_holds_is_not_built_again(workshop: ImageWorkshop, fake_program: FakeProgram) -> None:
    calls = engine_holding(fake_program, "edge:*")

    reference = workshop.reference(read_source("edge"))
    workshop.build(read_source("edge"), reference)

    assert calls.read_text() == f"image inspect --format {{{{.Id}}}} {reference}\n"


def test_an_image_is_never_called_after_sources_that_were_others(
    workshop: ImageWorkshop, folder: Path, fake_program: FakeProgram
) -> None:
    docker = engine_holding(fake_program, "root-edge:*")
    reference = workshop.reference(read_source("edge"))
    (folder / "edge" / "start.sh").write_text("# edited while other images were built\n")

    with pytest.raises(ClusterError, match="the sources of image edge changed while it was being made"):
        workshop.build(read_source("edge"), reference)

    assert not [call for call in docker.read_text().splitlines() if call.startswith("build ")]


def test_an_image_tells_which_versions_of_its_packages_it_has(
    workshop: ImageWorkshop, fake_program: FakeProgram
) -> None:
    source = read_source("edge")
    docker = fake_program("docker", "printf 'bash 5.2\\nredis-server 8.0.2\\n'")
    root = RootFileSystem(name="edge", suite="trixie", packages=("redis-server",))
    wanted = replace(source, root=root)

    assert workshop.installed(wanted, workshop.reference(wanted)) == ("redis-server 8.0.2",)
    assert docker.read_text().endswith(f"{workshop.reference(wanted)} /usr/share/doorbuster/packages\n")


def test_an_image_without_packages_has_none_to_tell(workshop: ImageWorkshop, fake_program: FakeProgram) -> None:
    docker = fake_program("docker", "")

    assert workshop.installed(replace(read_source("edge"), root=None), "edge:1") == ()
    assert not docker.exists()
