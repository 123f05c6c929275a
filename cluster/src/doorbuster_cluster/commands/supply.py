"""Where programs and images come from: built on this machine, or pulled from where they are published.

Both supplies use the same task names (`tool kind`, `image node`, `image registry`), so that what follows doesn't
need to know which of them is at work.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from rich.markup import escape

from doorbuster_cluster.builds.go_programs import PROGRAMS
from doorbuster_cluster.builds.images import ImageSource, read_source
from doorbuster_cluster.builds.node_image import SYSTEM_IN_NODE, NodeImage
from doorbuster_cluster.builds.released_programs import RELEASED
from doorbuster_cluster.commands.build_tasks import (
    IMAGE_LANE,
    PUSH_LANE,
    image_task,
    node_task,
    program_tasks,
    push_task,
    wheel_task,
)
from doorbuster_cluster.commands.session import Session
from doorbuster_cluster.errors import ClusterError
from doorbuster_cluster.runtime.releases import image_values
from doorbuster_cluster.runtime.toolbox import STAND_INS
from doorbuster_cluster.work import Task

TOOLS = ("kind", "kubectl", "helm")
STORES = ("redis", "kafka", "mysql")
MONITORS = ("prometheus", "alertmanager")
APPS = "apps"
OPERATOR = "operator"
# Not the lane of the Go builds: the cluster would wait for the last of them, Traefik.
TOOL_LANE = "tools"
PULL_SECONDS = 900.0
# In the order in which something waits for them; the longest that nothing waits for comes last.
PROGRAMS_OF_CLUSTER = (
    "hyperkube", "etcd", "coredns", "pause", "crictl", "kube-router", "kind", "helm", "traefik",
)  # fmt: skip
# Those of stores and monitors are the charts' own defaults.
PUBLISHED = {
    "node": "docker.io/kindest/node:v1.35.4",
    "registry": "docker.io/library/registry:3",
    "traefik": "docker.io/library/traefik:v3.6.12",
}


class Supply(Protocol):
    """What the rest of `make up` wants to know about programs and images."""

    @property
    def images(self) -> Mapping[str, str]:
        """References of `node`, `registry` and `traefik`."""

    @property
    def enforces_policies(self) -> bool:
        """Whether the node image brings its own enforcement of NetworkPolicies."""

    def tasks(self) -> list[Task]:
        """Return the tasks that make or fetch everything."""

    def before_pods(self, names: Iterable[str]) -> frozenset[str]:
        """Return the names of the tasks that have to be done before pods of these stores or monitors can start."""

    def section(self, name: str) -> dict[str, object]:
        """Return what the section of a store or monitor in a chart's values needs so that its image is found."""

    @property
    def apps(self) -> ImageSource:
        """The applications' image: it is published nowhere, so it is made here in any case, on one base or another."""

    @property
    def operator(self) -> ImageSource:
        """The operator's image, of which the same holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltSupply:
    """Builds everything here; nodes get all images from the local registry."""

    session: Session

    @property
    def images(self) -> Mapping[str, str]:
        """References of `node`, `registry` and `traefik`."""
        workshop = self.session.images
        ours = {name: workshop.reference(read_source(name)) for name in ("registry", "traefik")}
        return {**ours, "node": NodeImage(workshop=workshop).reference, "system": SYSTEM_IN_NODE}

    @property
    def enforces_policies(self) -> bool:
        """Ours doesn't: kube-router is installed beside it."""
        return False

    def tasks(self) -> list[Task]:
        """Return the tasks that make everything."""
        session = self.session
        tools = [
            Task(name=f"tool {name}", run=_nothing, lane=TOOL_LANE, needs=frozenset({f"program {STAND_INS[name]}"}))
            for name in TOOLS
        ]
        return [
            *program_tasks(session, PROGRAMS_OF_CLUSTER),
            *tools,
            *(image_task(session, read_source(name)) for name in ("registry", *STORES)),
            node_task(session),
            *(image_task(session, read_source(name)) for name in MONITORS),
            *_wheels_and_images(session, self.operator, self.apps),
            image_task(session, read_source("traefik")),
            *(push_task(session, read_source(name)) for name in (*STORES, *MONITORS, "traefik")),
            *(push_task(session, source) for source in (self.operator, self.apps)),
        ]

    def before_pods(self, names: Iterable[str]) -> frozenset[str]:
        """Return the names of the tasks that push the images."""
        return frozenset(f"push {name}" for name in names)

    def section(self, name: str) -> dict[str, object]:
        """Return the image's place in the local registry."""
        return {"image": image_values(self.session.images.reference(read_source(name)))}

    @property
    def apps(self) -> ImageSource:
        """The applications' image, on Debian packages."""
        return read_source(APPS)

    @property
    def operator(self) -> ImageSource:
        """The operator's image, on Debian packages."""
        return read_source(OPERATOR)


@dataclass(frozen=True, slots=True, kw_only=True)
class PulledSupply:
    """Takes what is published; nodes pull the images of stores and monitors themselves."""

    session: Session

    @property
    def images(self) -> Mapping[str, str]:
        """References of `node`, `registry` and `traefik`."""
        return PUBLISHED

    @property
    def enforces_policies(self) -> bool:
        """The published node's own network (kindnet) does."""
        return True

    def tasks(self) -> list[Task]:
        """Return the tasks that fetch everything."""
        pulls = [
            Task(name=f"image {name}", run=partial(self._pull, name), lane=IMAGE_LANE) for name in ("registry", "node")
        ]
        tools = [Task(name=f"tool {name}", run=partial(self._fetch_tool, name), lane=TOOL_LANE) for name in TOOLS]
        ours = (self.operator, self.apps)
        pushes = [push_task(self.session, source) for source in ours]
        builds = _wheels_and_images(self.session, *ours)
        return [*pulls, *tools, *builds, *pushes, Task(name="push traefik", run=_nothing, lane=PUSH_LANE)]

    def before_pods(self, names: Iterable[str]) -> frozenset[str]:
        """Nothing: the nodes pull."""
        return frozenset()

    def section(self, name: str) -> dict[str, object]:
        """Nothing: the charts' defaults name the published images."""
        return {}

    @property
    def apps(self) -> ImageSource:
        """The applications' image, on a published Python."""
        return read_source(APPS).on_published_root()

    @property
    def operator(self) -> ImageSource:
        """The operator's image, on a published Python."""
        return read_source(OPERATOR).on_published_root()

    def _pull(self, name: str) -> None:
        if not self.session.engine.has_image(PUBLISHED[name]):
            with self.session.progress.step(f"pull image {name}"):
                self.session.engine.docker("pull", "--quiet", PUBLISHED[name], timeout_seconds=PULL_SECONDS)

    def _fetch_tool(self, name: str) -> None:
        """Fetch a released program, or build it where its site isn't in reach; not when a good one is on PATH."""
        session = self.session
        if session.tools.path(name).exists():
            return
        with session.progress.step(f"get {name}"):
            try:
                RELEASED[name].download(session.settings.cache)
            except ClusterError as exc:
                session.progress.note(f"{escape(str(exc))}; building {name} instead")
                session.go.build(PROGRAMS[STAND_INS[name]])


def _wheels_and_images(session: Session, *sources: ImageSource) -> list[Task]:
    return [make(session, source) for source in sources for make in (wheel_task, image_task)]


def _nothing() -> None:
    """Stand in for a step that this supply has no use for."""
