"""The programs that drive the cluster: the person's own where they fit, ours otherwise."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from doorbuster_cluster.builds.engine import Engine
from doorbuster_cluster.builds.go_programs import PROGRAMS, GoWorkshop
from doorbuster_cluster.builds.released_programs import RELEASED
from doorbuster_cluster.host.packages import find_program
from doorbuster_cluster.host.programs import find_with_version
from doorbuster_cluster.process import Completed, attempt, run
from doorbuster_cluster.settings import Settings

# Which of our Go programs stands in, and under which name: hyperkube is kubectl when it is called so.
STAND_INS: Mapping[str, str] = {"kind": "kind", "helm": "helm", "kubectl": "hyperkube"}
# First and last (major, minor) that are known to work. kubectl may differ by one minor from the API server, which is
# 1.35 (Kubernetes' version skew policy).
SUPPORTED: Mapping[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "kind": ((0, 30), (0, 999)),
    "helm": ((3, 17), (4, 999)),
    "kubectl": ((1, 34), (1, 36)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Toolbox:
    """Runs kind, helm and kubectl against one cluster."""

    settings: Settings
    engine: Engine
    found: dict[str, Path | None] = field(default_factory=dict)

    def kubectl(self, *arguments: str | Path, stdin: str | None = None, timeout_seconds: float = 60.0) -> str:
        """Return what `kubectl <arguments>` printed; raises CommandFailed or CommandTimedOut."""
        return self._run("kubectl", arguments, stdin=stdin, timeout_seconds=timeout_seconds)

    def try_kubectl(self, *arguments: str | Path, timeout_seconds: float = 60.0) -> Completed:
        """Return how `kubectl <arguments>` ended, whether it succeeded or not."""
        return attempt([self.path("kubectl"), *arguments], env=self.environment(), timeout_seconds=timeout_seconds)

    def helm(self, *arguments: str | Path, timeout_seconds: float = 60.0) -> str:
        """Return what `helm <arguments>` printed; raises CommandFailed or CommandTimedOut."""
        return self._run("helm", arguments, timeout_seconds=timeout_seconds)

    def try_helm(self, *arguments: str | Path, timeout_seconds: float = 60.0) -> Completed:
        """Return how `helm <arguments>` ended, whether it succeeded or not."""
        return attempt([self.path("helm"), *arguments], env=self.environment(), timeout_seconds=timeout_seconds)

    def kind(self, *arguments: str | Path, stdin: str | None = None, timeout_seconds: float = 60.0) -> str:
        """Return what `kind <arguments>` printed; raises CommandFailed or CommandTimedOut."""
        return self._run("kind", arguments, stdin=stdin, timeout_seconds=timeout_seconds)

    def environment(self) -> dict[str, str]:
        """Return the environment in which all three find the engine and the cluster."""
        return {
            **self.engine.environment(),
            "KUBECONFIG": str(self.settings.kubeconfig),
            # A network of the cluster's own: its node is the first on it and keeps its address over restarts.
            "KIND_EXPERIMENTAL_DOCKER_NETWORK": self.settings.cluster,
        }

    def path(self, name: str) -> Path:
        """Return where the program is: on PATH if it fits, else the released one, else the one that we built."""
        found = self._on_path(name)
        if found is not None:
            return found
        released = RELEASED[name].path(self.settings.cache)
        # Without a compiler nothing can have been built here, nor can it be told how that would be called.
        return released if released.exists() or find_program("go") is None else self._stand_in(name)

    def _run(
        self,
        name: str,
        arguments: tuple[str | Path, ...],
        *,
        stdin: str | None = None,
        timeout_seconds: float,
    ) -> str:
        argv = [self.path(name), *arguments]
        return run(argv, env=self.environment(), stdin=stdin, timeout_seconds=timeout_seconds)

    def _on_path(self, name: str) -> Path | None:
        if name not in self.found:
            self.found[name] = find_supported(name)
        return self.found[name]

    def _stand_in(self, name: str) -> Path:
        built = GoWorkshop(cache=self.settings.cache).path(PROGRAMS[STAND_INS[name]])
        if built.name == name:
            return built
        link = built.with_name(name)
        if built.exists() and not link.exists():
            link.symlink_to(built.name)
        return link


def find_supported(name: str) -> Path | None:
    """Return the program on PATH if its version is one that is known to work, else None."""
    facts = find_with_version(name)
    if facts is None or facts.version is None:
        return None
    lowest, highest = SUPPORTED[name]
    return Path(facts.path) if lowest <= facts.version[:2] <= highest else None
