"""Images built on this machine: each a folder under cluster/images with a Dockerfile and an image.toml."""

import shutil
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from doorbuster_cluster.builds.engine import Engine
from doorbuster_cluster.builds.go_programs import PROGRAMS, GoWorkshop
from doorbuster_cluster.builds.jars import fetch_jars
from doorbuster_cluster.builds.root_file_systems import PACKAGE_LIST, RootFileSystem
from doorbuster_cluster.digests import digest_of, digest_of_files, files_below
from doorbuster_cluster.errors import ClusterError
from doorbuster_cluster.settings import REPOSITORY

FOLDER = REPOSITORY / "cluster" / "images"
BUILD_SECONDS = 600.0
KNOWN_KEYS = {"suite", "packages", "programs", "jars"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSource:
    """What an image is made of.

    Attributes:
        name: the folder's name.
        root: Debian packages below everything; None for images on an empty file system.
        programs: names of our Go programs, copied to `programs/` in the build's context.
        jars: whether the folder's pom.xml names jars, copied to `jars/` in the build's context.
    """

    name: str
    root: RootFileSystem | None
    programs: tuple[str, ...]
    jars: bool

    @property
    def folder(self) -> Path:
        """Where Dockerfile and context lie."""
        return FOLDER / self.name


def read_source(name: str) -> ImageSource:
    """Return what the image's image.toml says.

    Raises:
        ClusterError: there is no such image, or its image.toml has a key that nobody reads.
    """
    path = FOLDER / name / "image.toml"
    if not path.is_file():
        raise ClusterError(f"there is no image named {name!r}: {path} is missing")
    content = tomllib.loads(path.read_text())
    if unknown := content.keys() - KNOWN_KEYS:
        raise ClusterError(f"{path} has unknown keys: {', '.join(sorted(unknown))}")
    suite, packages = content.get("suite"), tuple(content.get("packages", ()))
    root = RootFileSystem(name=name, suite=suite, packages=packages) if suite else None
    return ImageSource(
        name=name, root=root, programs=tuple(content.get("programs", ())), jars=bool(content.get("jars"))
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageWorkshop:
    """Builds images with one engine.

    Attributes:
        prefix: what image names begin with, e.g. `localhost:5001/doorbuster`.
    """

    engine: Engine
    cache: Path
    prefix: str

    @property
    def _go(self) -> GoWorkshop:
        return GoWorkshop(cache=self.cache)

    def reference(self, source: ImageSource) -> str:
        """Return the image's full name; its tag is the digest of everything that goes into it."""
        parts = [digest_of_files(source.folder, files_below(source.folder))]
        if source.root is not None:
            parts.append(source.root.reference)
        parts += [self._go.digest(PROGRAMS[name]) for name in source.programs]
        return f"{self.prefix}/{source.name}:{digest_of(*parts)}"

    def build(self, source: ImageSource) -> str:
        """Return the reference of the image, built unless the engine holds it already.

        The programs have to be built before; root file system and jars are made here.

        Raises:
            CommandFailed: a step of the build failed.
        """
        reference = self.reference(source)
        if not self.engine.has_image(reference):
            with self.context(source) as context:
                docker_build(self.engine, context, reference, source)
        return reference

    def installed(self, source: ImageSource) -> tuple[str, ...]:
        """Return `name version` of each Debian package that the image's image.toml names, as the image lists them.

        The list is the only record of what a moving suite such as sid held on that day.
        """
        if source.root is None:
            return ()
        reference = self.reference(source)
        run = ("run", "--rm", "--network", "none", "--entrypoint", "cat", reference, f"/{PACKAGE_LIST}")
        lines = self.engine.docker(*run).splitlines()
        return tuple(line for line in lines if line.partition(" ")[0] in source.root.packages)

    @contextmanager
    def context(self, source: ImageSource) -> Iterator[Path]:
        """Yield a folder with everything that the image's Dockerfile copies; gone afterwards."""
        if source.root is not None:
            source.root.build(self.engine, self.cache)
        with tempfile.TemporaryDirectory(prefix=f"image-{source.name}-", dir=self.cache) as name:
            context = Path(name)
            self._fill(context, source)
            yield context

    def _fill(self, context: Path, source: ImageSource) -> None:
        shutil.copytree(source.folder, context, dirs_exist_ok=True)
        for name in source.programs:
            target = context / "programs" / name
            target.parent.mkdir(exist_ok=True)
            # A hard link where it can be: these programs have up to 180 MB.
            _link_or_copy(self._go.path(PROGRAMS[name]), target)
        if source.jars:
            jars = fetch_jars(source.folder / "pom.xml", source.folder / "jars.sha256", self.cache)
            shutil.copytree(jars, context / "jars", copy_function=_link_or_copy)


def docker_build(
    engine: Engine, context: Path, reference: str, source: ImageSource, *, target: str | None = None
) -> None:
    """Build one image without network: whatever it needs lies in its base and its context.

    Args:
        engine: builds and keeps it.
        context: the folder with the Dockerfile.
        reference: its name and tag.
        source: names the base.
        target: the stage to build; None means the last.
    """
    words: list[str | Path] = ["build", "--quiet", "--network", "none", "--tag", reference]
    if source.root is not None:
        words += ["--build-arg", f"ROOT={source.root.reference}"]
    if target is not None:
        words += ["--target", target]
    engine.docker(*words, context, timeout_seconds=BUILD_SECONDS)


def _link_or_copy(source: str | Path, target: str | Path) -> None:
    try:
        Path(target).hardlink_to(source)
    except OSError:
        shutil.copy2(source, target)
