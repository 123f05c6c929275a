"""A container engine that answers: where it listens, and how to speak to it."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from doorbuster_cluster.host.packages import find_program
from doorbuster_cluster.process import Completed, attempt, run

# What a shell answers for a program that isn't there (POSIX, "Exit Status for Commands").
NOT_FOUND = 127


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """A Docker engine.

    Attributes:
        address: value for DOCKER_HOST; None when the client finds it by its own configuration.
        own: whether we started it, and so have to stop it.
    """

    address: str | None
    own: bool

    def environment(self) -> dict[str, str]:
        """Return the environment for programs that speak to this engine (docker, kind, skaffold)."""
        environment = dict(os.environ)
        if self.address is not None:
            environment["DOCKER_HOST"] = self.address
            environment.pop("DOCKER_CONTEXT", None)
        # Debian's engine (20.10) has no BuildKit; the Dockerfiles here need none.
        environment["DOCKER_BUILDKIT"] = "0"
        return environment

    def docker(self, *arguments: str | Path, timeout_seconds: float = 120.0, stdin: str | None = None) -> str:
        """Return what `docker <arguments>` printed.

        Raises:
            CommandFailed: it ended with an error.
            CommandTimedOut: it took longer than `timeout_seconds`.
        """
        argv: Sequence[str | Path] = ["docker", *arguments]
        return run(argv, env=self.environment(), timeout_seconds=timeout_seconds, stdin=stdin)

    def try_docker(self, *arguments: str | Path, timeout_seconds: float = 120.0) -> Completed:
        """Return how `docker <arguments>` ended, whether it succeeded or not, or is there at all."""
        if find_program("docker") is None:
            return Completed(returncode=NOT_FOUND, stdout="", stderr="there is no docker client")
        return attempt(["docker", *arguments], env=self.environment(), timeout_seconds=timeout_seconds)

    def has_image(self, reference: str) -> bool:
        """Return whether the engine holds the image."""
        return self.try_docker("image", "inspect", "--format", "{{.Id}}", reference).ok
