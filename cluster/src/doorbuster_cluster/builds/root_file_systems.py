"""Root file systems of images, made by mmdebstrap from the machine's own Debian mirror.

One for each image, with just its packages, imported as a flat base. So the image builds themselves need no network, no
name of a mirror and no certificate authority of this machine, and none of the three can end up in a layer.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from doorbuster_cluster.builds.detached import Detached
from doorbuster_cluster.builds.engine import Engine
from doorbuster_cluster.digests import digest_of
from doorbuster_cluster.errors import ClusterError
from doorbuster_cluster.process import run

BUILD_SECONDS = 900.0
# sid's index promises to be replaced within a week; a mirror that lags behind still serves what it lists, signed.
UNDATED_SUITES = frozenset({"sid"})
# Documentation and translations are a quarter of a small image and nobody reads them there; licences stay.
LEFT_OUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/info/*", "/usr/share/locale/*", "/usr/share/lintian/*")
KEPT = "/usr/share/doc/*/copyright"
PACKAGE_LIST = "usr/share/doorbuster/packages"
# Java's package links its manual page although the page is left out, and fails without the folder.
BEFORE_PACKAGES = 'mkdir -p "$1/usr/share/man/man1"'
# In order: note what was installed, then drop what names the mirror. mmdebstrap itself cleans up behind apt.
HOOKS = (
    f'mkdir -p "$1/{Path(PACKAGE_LIST).parent}"',
    f'dpkg-query --admindir="$1/var/lib/dpkg" -W -f \'${{Package}} ${{Version}}\\n\' > "$1/{PACKAGE_LIST}"',
    'rm -rf "$1/etc/apt/sources.list" "$1/etc/apt/sources.list.d" "$1"/var/cache/debconf/* "$1"/var/log/*',
    # The host's own name server and name, which debootstrapping copies.
    ': > "$1/etc/resolv.conf"; : > "$1/etc/hostname"; rm -f "$1/etc/machine-id"',
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RootFileSystem:
    """Debian packages and their dependencies as the base of an image.

    Attributes:
        name: the image's name.
        suite: Debian's code name, e.g. `trixie`.
        packages: packages to install beside the essential ones.
    """

    name: str
    suite: str
    packages: tuple[str, ...]

    @property
    def reference(self) -> str:
        """The name of the imported base in the engine."""
        digest = digest_of(self.suite, *self.packages, BEFORE_PACKAGES, *HOOKS, *LEFT_OUT)
        return f"localhost/doorbuster/root-{self.name}:{digest}"

    def build(self, engine: Engine, cache: Path) -> None:
        """Make the file system and import it, unless the engine holds it already.

        Raises:
            CommandFailed: a package can't be installed; the message ends with mmdebstrap's log.
        """
        if engine.has_image(self.reference):
            return
        digest = self.reference.rpartition(":")[2]
        tarball = cache / "root" / f"{self.name}-{digest}.tar"
        tarball.parent.mkdir(parents=True, exist_ok=True)
        Detached(
            name=f"root-{self.name}-{digest}",
            argv=self._command(tarball),
            cwd=cache,
            environment={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            folder=cache / "logs",
        ).wait(BUILD_SECONDS)
        engine.docker("import", tarball, self.reference, timeout_seconds=300)
        tarball.unlink()

    def _command(self, tarball: Path) -> list[str | Path]:
        leave_out = [f"--dpkgopt=path-exclude={pattern}" for pattern in LEFT_OUT]
        hooks = [f"--essential-hook={BEFORE_PACKAGES}", *(f"--customize-hook={hook}" for hook in HOOKS)]
        undated = ['--aptopt=Acquire::Check-Valid-Until "false"'] if self.suite in UNDATED_SUITES else []
        return [
            "mmdebstrap", "--mode=root", "--variant=essential", f"--include={','.join(self.packages)}",
            *undated, *leave_out, f"--dpkgopt=path-include={KEPT}", *hooks, self.suite, tarball, debian_mirror(),
        ]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedRoot:
    """A public image as the base of one of ours, where a container registry is in reach.

    Attributes:
        reference: its name with registry and tag.
    """

    reference: str

    def build(self, engine: Engine, _cache: Path) -> None:
        """Pull the image, unless the engine holds it already."""
        if not engine.has_image(self.reference):
            engine.docker("pull", "--quiet", self.reference, timeout_seconds=BUILD_SECONDS)


def debian_mirror() -> str:
    """Return the mirror that this machine's own apt uses; it is never written into a file of the project.

    Raises:
        ClusterError: apt has no mirror for the main archive.
    """
    targets = run(["apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME) $(COMPONENT)"])
    for line in targets.splitlines():
        uri, codename, component = line.split(" ", 2)
        if component == "main" and "-" not in codename:
            return uri
    raise ClusterError("apt knows no mirror for Debian's main archive", hint="look at /etc/apt and run apt-get update")
