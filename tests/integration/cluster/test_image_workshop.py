import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from doorbuster_cluster.builds.engine import Engine
from doorbuster_cluster.builds.images import ImageWorkshop, read_source

pytestmark = pytest.mark.integration


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of images with one of a single file, which no cache of the engine has seen before."""
    folder = tmp_path / "images" / "tiny"
    folder.mkdir(parents=True)
    monkeypatch.setattr("doorbuster_cluster.builds.images.FOLDER", folder.parent)
    (folder / "image.toml").touch()
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY greeting /greeting\n")
    (folder / "greeting").write_text(f"hello {uuid.uuid4()}\n")
    return folder


@pytest.fixture
def workshop(engine: Engine, tmp_path: Path) -> Iterator[ImageWorkshop]:
    prefix = f"localhost/doorbuster-workshop-test-{uuid.uuid4().hex[:8]}"
    (tmp_path / "cache").mkdir()
    yield ImageWorkshop(engine=engine, cache=tmp_path / "cache", prefix=prefix)
    ours = engine.docker("image", "ls", "--quiet", f"{prefix}/*").split()
    if ours:
        engine.docker("image", "rm", "--force", *ours)


def built(workshop: ImageWorkshop) -> str:
    """Build the image `tiny` as it is now and return its name."""
    source = read_source("tiny")
    reference = workshop.reference(source)
    workshop.build(source, reference)
    return reference


def test_an_image_is_built_from_its_folder(workshop: ImageWorkshop, folder: Path, tmp_path: Path) -> None:
    reference = built(workshop)

    # On an empty file system there is nothing to run; a container is only made to read from it.
    container = workshop.engine.docker("create", reference, "nothing").strip()
    try:
        workshop.engine.docker("cp", f"{container}:/greeting", tmp_path / "copy")
    finally:
        workshop.engine.docker("rm", container)
    assert (tmp_path / "copy").read_text() == (folder / "greeting").read_text()
    assert list(workshop.cache.iterdir()) == []


@pytest.mark.usefixtures("folder")
def test_a_second_build_does_nothing(workshop: ImageWorkshop, tmp_path: Path) -> None:
    reference = built(workshop)

    # It couldn't do anything: there is no folder to make a context in.
    unable = replace(workshop, cache=tmp_path / "missing")

    assert built(unable) == reference


def test_a_changed_file_is_another_image_beside_the_former(workshop: ImageWorkshop, folder: Path) -> None:
    former = built(workshop)
    (folder / "greeting").write_text("good bye\n")

    latter = built(workshop)

    identities = [workshop.engine.docker("image", "inspect", "--format", "{{.Id}}", name) for name in (former, latter)]
    assert len(set(identities)) == 2


def test_a_build_reaches_no_network(workshop: ImageWorkshop, folder: Path, images: dict[str, str]) -> None:
    # /proc/net/dev has two lines of heading and one for each interface.
    look = "test \"$(sed 1,2d /proc/net/dev | sed 's/:.*//' | tr -d ' ')\" = lo"
    (folder / "Dockerfile").write_text(f"FROM {images['redis']}\nRUN {look}\n")

    assert workshop.engine.has_image(built(workshop))
