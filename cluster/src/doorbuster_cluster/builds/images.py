"""Images built on this machine: each a folder with Dockerfile and image.toml, in cluster/images or with its sources."""

import shutil
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from doorbuster_cluster.builds.engine import Engine
from doorbuster_cluster.builds.go_programs import PROGRAMS, GoWorkshop
from doorbuster_cluster.builds.jars import fetch_jars
from doorbuster_cluster.builds.root_file_systems import PACKAGE_LIST, PublishedRoot, RootFileSystem
from doorbuster_cluster.builds.wheels import fetch_wheels
from doorbuster_cluster.digests import digest_of, digest_of_files, files_below
from doorbuster_cluster.errors import ClusterError
from doorbuster_cluster.settings import REPOSITORY

FOLDER = REPOSITORY / "cluster" / "images"
# An image of sources that live here has its Dockerfile beside them: its context is their folder.
BESIDE_SOURCES: Mapping[str, Path] = {name: REPOSITORY / name for name in ("apps", "operator")}
BUILD_SECONDS = 600.0
KNOWN_KEYS = {"suite", "packages", "programs", "jars", "lock", "published"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSource:
    """What an image is made of.

    Attributes:
        name: the image's name.
        root: what is below everything; None for images on an empty file system.
        programs: names of our Go programs, copied to `programs/` in the build's context.
        jars: whether the folder's pom.xml names jars, copied to `jars/` in the build's context.
        lock: lock file of Python packages, unpacked to `packages/` in the build's context; None for images without.
        published: a public image with the same in it as `root`; None where none is needed.
    """

    name: str
    root: RootFileSystem | PublishedRoot | None
    programs: tuple[str, ...]
    jars: bool
    lock: Path | None = None
    published: str | None = None

    @property
    def folder(self) -> Path:
        """Where Dockerfile and context lie."""
        return folder_of(self.name)

    def on_published_root(self) -> "ImageSource":
        """Return the same image for machines that pull: on a public base, without Debian packages of ours."""
        return replace(self, root=PublishedRoot(reference=self.published)) if self.published else self


def folder_of(name: str) -> Path:
    """Return the folder of an image."""
    return BESIDE_SOURCES.get(name, FOLDER / name)


def read_source(name: str) -> ImageSource:
    """Return what the image's image.toml says.

    Raises:
        ClusterError: there is no such image, or its image.toml has a key that nobody reads.
    """
    path = folder_of(name) / "image.toml"
    if not path.is_file():
        raise ClusterError(f"there is no image named {name!r}: {path} is missing")
    content = tomllib.loads(path.read_text())
    if unknown := content.keys() - KNOWN_KEYS:
        raise ClusterError(f"{path} has unknown keys: {', '.join(sorted(unknown))}")
    suite, packages = content.get("suite"), tuple(content.get("packages", ()))
    root = RootFileSystem(name=name, suite=suite, packages=packages) if suite else None
    return ImageSource(
        name=name,
        root=root,
        programs=tuple(content.get("programs", ())),
        jars=bool(content.get("jars")),
        lock=REPOSITORY / content["lock"] if "lock" in content else None,
        published=content.get("published"),
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
        parts: list[str | bytes] = [digest_of_files(source.folder, files_below(source.folder))]
        if source.root is not None:
            parts.append(source.root.reference)
        if source.lock is not None:
            parts.append(source.lock.read_bytes())
        parts += [self._go.digest(PROGRAMS[name]) for name in source.programs]
        return f"{self.prefix}/{source.name}:{digest_of(*parts)}"

    def build(self, source: ImageSource, reference: str) -> None:
        """Build the image unless the engine holds it already.

        The programs have to be built before; root file system, jars and Python packages are made here.

        Args:
            source: what it is made of.
            reference: what it was called when the run began; whoever uses the image knows it by that name.

        Raises:
            ClusterError: somebody changed a source in between.
            CommandFailed: a step of the build failed.
        """
        if self.engine.has_image(reference):
            return
        with self.context(source) as context:
            if self.reference(source) != reference:
                raise ClusterError(
                    f"the sources of image {source.name} changed while it was being made",
                    hint="type the command again; it goes on from here",
                )
            docker_build(self.engine, context, reference, source)

    def installed(self, source: ImageSource, reference: str) -> tuple[str, ...]:
        """Return `name version` of each Debian package that the image's image.toml names, as the image lists them.

        The list is the only record of what a moving suite such as sid held on that day.
        """
        if not isinstance(source.root, RootFileSystem):
            return ()
        packages = source.root.packages
        run = ("run", "--rm", "--network", "none", "--entrypoint", "cat", reference, f"/{PACKAGE_LIST}")
        lines = self.engine.docker(*run).splitlines()
        return tuple(line for line in lines if line.partition(" ")[0] in packages)

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
        shutil.copytree(source.folder, context, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        for name in source.programs:
            target = context / "programs" / name
            target.parent.mkdir(exist_ok=True)
            # A hard link where it can be: these programs have up to 180 MB.
            _link_or_copy(self._go.path(PROGRAMS[name]), target)
        if source.jars:
            jars = fetch_jars(source.folder / "pom.xml", source.folder / "jars.sha256", self.cache)
            shutil.copytree(jars, context / "jars", copy_function=_link_or_copy)
        if source.lock is not None:
            shutil.copytree(fetch_wheels(source.lock, self.cache), context / "packages", copy_function=_link_or_copy)


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
