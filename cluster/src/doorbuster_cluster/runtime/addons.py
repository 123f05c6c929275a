"""What the local cluster has beside kind's own: an edge, and the enforcement of NetworkPolicies."""

from collections.abc import Mapping
from dataclasses import dataclass
from string import Template

from doorbuster_cluster.digests import digest_of
from doorbuster_cluster.runtime.toolbox import Toolbox
from doorbuster_cluster.settings import REPOSITORY

FOLDER = REPOSITORY / "cluster" / "addons"
ROLLOUT_SECONDS = 180
DIGEST_KEY = "doorbuster.dev/manifest"
# In kubectl's JSONPath a dot inside a key has to be escaped.
ESCAPED_KEY = DIGEST_KEY.replace(".", "\\.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Addon:
    """A manifest under cluster/addons and the workload to wait for.

    Attributes:
        name: the file's name without `.yaml`.
        workload: e.g. `deployment/traefik`.
        namespace: where the workload lives.
    """

    name: str
    workload: str
    namespace: str

    def manifest(self, images: Mapping[str, str]) -> str:
        """Return the manifest with its `${…}` filled in.

        Raises:
            KeyError: the manifest names an image that `images` doesn't have.
        """
        return Template((FOLDER / f"{self.name}.yaml").read_text()).substitute(images)

    def is_current(self, tools: Toolbox, images: Mapping[str, str]) -> bool:
        """Return whether this very manifest was installed and became ready."""
        path = f"jsonpath={{.metadata.annotations.{ESCAPED_KEY}}}"
        answer = tools.try_kubectl("get", self.workload, "--namespace", self.namespace, "--output", path)
        return answer.ok and answer.stdout == digest_of(self.manifest(images))

    def install(self, tools: Toolbox, images: Mapping[str, str]) -> None:
        """Install or update the add-on and return when it is ready.

        Raises:
            CommandFailed: the API server refused it, or it did not become ready in time.
        """
        manifest = self.manifest(images)
        place = (self.workload, "--namespace", self.namespace)
        # Gone while it isn't ready; on a first installation there is nothing to take it from.
        tools.try_kubectl("annotate", *place, f"{DIGEST_KEY}-")
        tools.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=manifest)
        tools.kubectl(
            "rollout", "status", *place, f"--timeout={ROLLOUT_SECONDS}s", timeout_seconds=ROLLOUT_SECONDS + 10
        )
        # Only now: a manifest that never became ready is not what anybody wants to skip next time.
        tools.kubectl("annotate", *place, "--overwrite", f"{DIGEST_KEY}={digest_of(manifest)}")


TRAEFIK = Addon(name="traefik", workload="deployment/traefik", namespace="traefik")
KUBE_ROUTER = Addon(name="kube-router", workload="daemonset/kube-router", namespace="kube-system")
