"""The node image: what kind starts as a node, with the images of the control plane already inside."""

from dataclasses import dataclass
from pathlib import Path

from doorbuster_cluster.builds.go_programs import KUBERNETES_VERSION
from doorbuster_cluster.builds.images import ImageSource, ImageWorkshop, docker_build, read_source
from doorbuster_cluster.digests import digest_of

REGISTRY = "registry.k8s.io"
# What the manifests inside the node image call the system image; it never leaves the node.
SYSTEM_IN_NODE = "localhost/doorbuster/system:node"
# The names and tags that kubeadm 1.35.4 looks for, by the stage of the system image that goes by them. The tags say
# nothing about what is inside: etcd is 3.6.16 and CoreDNS 1.15.0, as cluster/go pins them.
NAMES_BY_STAGE = {
    "system": (
        *(
            f"{REGISTRY}/kube-{part}:{KUBERNETES_VERSION}"
            for part in ("apiserver", "controller-manager", "scheduler", "proxy")
        ),
        f"{REGISTRY}/etcd:3.6.6-0",
        SYSTEM_IN_NODE,
    ),
    "coredns": (f"{REGISTRY}/coredns/coredns:v1.13.1",),
    "pause": (f"{REGISTRY}/pause:3.10.1",),
}
SAVE_SECONDS = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeImage:
    """Builds the node image in two steps: the system images, and the node that holds them."""

    workshop: ImageWorkshop

    @property
    def reference(self) -> str:
        """The image's full name; its tag stands for the node's and the system images' inputs."""
        inputs = [self.workshop.reference(read_source(name)) for name in ("node", "system")]
        names = [name for names in NAMES_BY_STAGE.values() for name in names]
        return f"localhost/doorbuster/node:{digest_of(*inputs, *names)}"

    def build(self) -> str:
        """Return the reference of the node image, built unless the engine holds it already.

        Raises:
            CommandFailed: a step of the build failed.
        """
        reference, engine = self.reference, self.workshop.engine
        if not engine.has_image(reference):
            node = read_source("node")
            with self.workshop.context(node) as context:
                self._save_system_images(context / "images.tar")
                docker_build(engine, context, reference, node)
        return reference

    def _save_system_images(self, archive: Path) -> None:
        engine, system = self.workshop.engine, read_source("system")
        with self.workshop.context(system) as context:
            for stage, names in NAMES_BY_STAGE.items():
                self._build_stage(context, system, stage, names)
        everything = [name for names in NAMES_BY_STAGE.values() for name in names]
        engine.docker("save", "--output", archive, *everything, timeout_seconds=SAVE_SECONDS)
        engine.docker("image", "rm", *everything)

    def _build_stage(self, context: Path, source: ImageSource, stage: str, names: tuple[str, ...]) -> None:
        engine, first = self.workshop.engine, names[0]
        docker_build(engine, context, first, source, target=stage)
        for name in names[1:]:
            engine.docker("tag", first, name)
