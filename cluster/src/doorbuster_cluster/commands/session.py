"""What every command starts from: settings, progress, and the objects that speak to engine and cluster."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from doorbuster_cluster.builds.engine import Engine
from doorbuster_cluster.builds.go_programs import GoWorkshop
from doorbuster_cluster.builds.images import ImageWorkshop
from doorbuster_cluster.host.facts import own_engine_folder
from doorbuster_cluster.progress import Progress
from doorbuster_cluster.runtime.kind_cluster import KindCluster
from doorbuster_cluster.runtime.own_engine import OwnEngine
from doorbuster_cluster.runtime.registry import Registry
from doorbuster_cluster.runtime.toolbox import Toolbox
from doorbuster_cluster.settings import Settings

REPOSITORY_PREFIX = "doorbuster"


@dataclass(frozen=True)
class Machine:
    """The parts of this machine that outlive one cluster: cache, engine of our own, records."""

    settings: Settings

    @property
    def lock(self) -> Path:
        """Held by every command that changes something; builds and engine are shared by all clusters."""
        return self.settings.cache / "lock"

    @property
    def record(self) -> Path:
        """The machine's state before our first change."""
        return self.settings.cache / "machine.json"

    @property
    def packages(self) -> Path:
        """The list of Debian packages that we installed."""
        return self.settings.cache / "packages.json"

    @property
    def own_engine(self) -> OwnEngine:
        """Our own engine, running or not."""
        return OwnEngine(folder=own_engine_folder(self.settings))

    def running_engine(self) -> Engine:
        """Return our own engine when it runs, else the one that the docker client finds."""
        return self.own_engine.engine if self.own_engine.answers() else Engine(address=None, own=False)

    def clusters(self) -> list[str]:
        """Return the names of the clusters that have state here."""
        return sorted(folder.name for folder in (self.settings.cache / "clusters").glob("*") if folder.is_dir())


@dataclass(frozen=True)
class Session:
    """One command on one engine and one cluster."""

    settings: Settings
    engine: Engine
    progress: Progress

    @cached_property
    def tools(self) -> Toolbox:
        """kind, helm and kubectl."""
        return Toolbox(settings=self.settings, engine=self.engine)

    @cached_property
    def cluster(self) -> KindCluster:
        """The kind cluster."""
        return KindCluster(settings=self.settings, tools=self.tools)

    @cached_property
    def registry(self) -> Registry:
        """The local registry."""
        return Registry(engine=self.engine, port=self.settings.registry_port, storage=self.settings.cache / "registry")

    @cached_property
    def go(self) -> GoWorkshop:
        """Builds Go programs."""
        return GoWorkshop(cache=self.settings.cache)

    @cached_property
    def images(self) -> ImageWorkshop:
        """Builds images, named as the local registry serves them."""
        return ImageWorkshop(
            engine=self.engine, cache=self.settings.cache, prefix=f"{self.registry.host}/{REPOSITORY_PREFIX}"
        )
