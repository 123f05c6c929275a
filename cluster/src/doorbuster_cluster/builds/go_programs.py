"""Programs built from Go modules: each a folder under cluster/go, pinned by its go.mod and go.sum."""

import functools
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from doorbuster_cluster.builds.detached import Detached
from doorbuster_cluster.digests import digest_of, digest_of_files, files_below
from doorbuster_cluster.process import run
from doorbuster_cluster.settings import REPOSITORY

SOURCES = REPOSITORY / "cluster" / "go"
BUILD_SECONDS = 1800.0
# Two cores and 24 GiB carry one link of Kubernetes, not two (PLATFORM_RULES P3).
PARALLEL_COMPILERS = 2
KUBERNETES_VERSION = "v1.35.4"
# Both packages hold a version of their own, and kubeadm compares them (LOCAL_CLUSTER.md).
VERSION_PACKAGES = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")


@dataclass(frozen=True, slots=True, kw_only=True)
class GoProgram:
    """A program that we can build.

    Attributes:
        name: the folder under cluster/go and the file name of the program.
        package: the main package; "." is the folder's own, others come from the modules that go.mod names.
        stamps: values that the linker sets, as `package.variable=value`.
    """

    name: str
    package: str = "."
    stamps: tuple[str, ...] = ()


def _kubernetes_stamps() -> tuple[str, ...]:
    major, minor, _ = KUBERNETES_VERSION.removeprefix("v").split(".")
    values = {
        "gitVersion": KUBERNETES_VERSION,
        "gitMajor": major,
        "gitMinor": minor,
        "gitTreeState": "clean",
        "gitCommit": "unknown",
        # A fixed date, so that the same sources give the same program.
        "buildDate": "1970-01-01T00:00:00Z",
    }
    return tuple(f"{package}.{key}={value}" for package in VERSION_PACKAGES for key, value in values.items())


PROGRAMS = {
    program.name: program
    for program in (
        GoProgram(name="hyperkube", stamps=_kubernetes_stamps()),
        GoProgram(name="etcd"),
        GoProgram(name="coredns"),
        GoProgram(name="pause"),
        GoProgram(name="crictl", package="sigs.k8s.io/cri-tools/cmd/crictl"),
        GoProgram(name="kube-router", package="github.com/cloudnativelabs/kube-router/v2/cmd/kube-router"),
        GoProgram(name="kind", package="sigs.k8s.io/kind"),
        GoProgram(name="helm", package="helm.sh/helm/v4/cmd/helm"),
        GoProgram(name="helm-unittest", package="github.com/helm-unittest/helm-unittest/cmd/helm-unittest"),
        GoProgram(name="traefik", package="github.com/traefik/traefik/v3/cmd/traefik"),
        GoProgram(name="skaffold", package="github.com/GoogleContainerTools/skaffold/v2/cmd/skaffold"),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class GoWorkshop:
    """Builds Go programs and keeps them under `cache`; one build at a time is the caller's part."""

    cache: Path

    def path(self, program: GoProgram) -> Path:
        """Return where the program is kept; the folder's name stands for everything that it was made of."""
        return self.cache / "programs" / f"{program.name}-{self.digest(program)}" / program.name

    def digest(self, program: GoProgram) -> str:
        """Return the digest of the program's sources, stamps and compiler."""
        folder = SOURCES / program.name
        return digest_of(digest_of_files(folder, files_below(folder)), program.package, *program.stamps, _go_version())

    def has(self, program: GoProgram) -> bool:
        """Return whether the program is already built."""
        return self.path(program).is_file()

    def build(self, program: GoProgram) -> None:
        """Build the program unless it is kept already.

        Raises:
            CommandFailed: it does not compile, or a module can't be fetched; the message ends with the log.
        """
        target = self.path(program)
        if self.has(program):
            return
        unfinished = target.with_name(f"{program.name}.unfinished")
        unfinished.parent.mkdir(parents=True, exist_ok=True)
        Detached(
            name=f"go-{target.parent.name}",
            argv=self._command(program, unfinished),
            cwd=SOURCES / program.name,
            environment=self._environment(),
            folder=self.cache / "logs",
        ).wait(BUILD_SECONDS)
        unfinished.rename(target)
        self._drop_older(program)

    def drop_compiler_caches(self) -> None:
        """Delete what only the compiler needs: up to 30 GB that the finished programs do without."""
        go = self.cache / "go"
        if go.exists():
            # Go writes its modules read-only, against being edited by accident.
            run(["chmod", "-R", "u+w", go], timeout_seconds=300)
            shutil.rmtree(go)

    def _command(self, program: GoProgram, output: Path) -> list[str | Path]:
        linker = " ".join(["-s", "-w", *(f"-X {stamp}" for stamp in program.stamps)])
        return [
            "go", "build", "-p", str(PARALLEL_COMPILERS), "-mod=readonly", "-trimpath", "-buildvcs=false",
            "-ldflags", linker, "-o", output, program.package,
        ]  # fmt: skip

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "CGO_ENABLED": "0",
            "GOFLAGS": "",
            "GOWORK": "off",
            "GOTOOLCHAIN": "local",
            "GOCACHE": str(self.cache / "go" / "build"),
            "GOMODCACHE": str(self.cache / "go" / "modules"),
        }

    def _drop_older(self, program: GoProgram) -> None:
        keep = self.path(program).parent
        for folder in (self.cache / "programs").glob(f"{program.name}-*"):
            if folder != keep and len(folder.name) == len(keep.name):
                shutil.rmtree(folder)


@functools.cache
def _go_version() -> str:
    return run(["go", "env", "GOVERSION"]).strip()
