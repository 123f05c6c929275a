"""Our charts in the cluster: installed in order, skipped when nothing about them changed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from doorbuster_cluster.digests import digest_of, digest_of_files, files_below
from doorbuster_cluster.runtime.toolbox import Toolbox
from doorbuster_cluster.settings import REPOSITORY, Settings

CHARTS = REPOSITORY / "charts"
NAMESPACE = "doorbuster"
INSTALL_MINUTES = 10
# How helm marks a release that is complete.
DEPLOYED = "deployed"
# How it marks one that it is at work on.
UNFINISHED = ("pending-install", "pending-upgrade", "pending-rollback")


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One chart in the cluster; the release has the chart's name.

    Attributes:
        name: folder under charts/ and name of the release.
        values: what differs from the chart's defaults.
    """

    name: str
    values: Mapping[str, object]

    def digest(self) -> str:
        """Return the digest of chart, library chart and values: the same digest means nothing to do."""
        charts = [path for name in ("common", self.name) for path in _sources(CHARTS / name)]
        return digest_of(digest_of_files(CHARTS, charts), yaml.safe_dump(dict(self.values)))

    def is_current(self, tools: Toolbox) -> bool:
        """Return whether the cluster has this very release, complete."""
        answer = tools.try_helm("status", self.name, "--namespace", NAMESPACE, "--output", "json")
        if not answer.ok:
            return False
        info = json.loads(answer.stdout)["info"]
        return bool(info["status"] == DEPLOYED and info.get("description") == self.digest())

    def install(self, tools: Toolbox, values_file: Path) -> None:
        """Install or upgrade the release and return when all of it is ready.

        Args:
            tools: speak to the cluster.
            values_file: receives the values; people use it with their own helm commands.

        Raises:
            CommandFailed: helm failed, or something was not ready in time.
        """
        self.write_values(values_file)
        self._forget_killed_runs(tools)
        tools.helm("dependency", "build", CHARTS / self.name, "--skip-refresh")
        tools.helm(
            "upgrade", "--install", self.name, CHARTS / self.name, "--namespace", NAMESPACE,
            "--values", values_file, "--description", self.digest(),
            "--wait", "--timeout", f"{INSTALL_MINUTES}m",
            timeout_seconds=INSTALL_MINUTES * 60 + 30,
        )  # fmt: skip

    def _forget_killed_runs(self, tools: Toolbox) -> None:
        """Delete the records of runs that were killed: helm takes them for runs of somebody else and refuses.

        Nobody else works here: the caller holds the lock.
        """
        selector = f"owner=helm,name={self.name},status in ({','.join(UNFINISHED)})"
        tools.kubectl("delete", "secret", "--namespace", NAMESPACE, "--selector", selector)

    def write_values(self, values_file: Path) -> None:
        """Write the values where helm, skaffold and the tests read them."""
        values_file.parent.mkdir(parents=True, exist_ok=True)
        values_file.write_text(yaml.safe_dump(dict(self.values), sort_keys=False))


def values_folder(settings: Settings) -> Path:
    """Return where `make up` writes each release's values, a file a release (P4)."""
    return settings.state / "values"


def values_file(settings: Settings, release: str) -> Path:
    """Return the file in which `make up` keeps the values of a release."""
    return values_folder(settings) / f"{release}.yaml"


def _sources(chart: Path) -> list[Path]:
    """Return the chart's own files, without those that `helm dependency build` makes: they hold times."""
    made = (chart / "charts", chart / "Chart.lock")
    return [path for path in files_below(chart) if not any(path.is_relative_to(place) for place in made)]


def image_values(reference: str) -> dict[str, str]:
    """Return an image's reference as our charts' values want it.

    Args:
        reference: `<registry>/<repository>:<tag>`; the registry may have a port.
    """
    name, _, tag = reference.rpartition(":")
    registry, _, repository = name.partition("/")
    return {"registry": registry, "repository": repository, "tag": tag}
