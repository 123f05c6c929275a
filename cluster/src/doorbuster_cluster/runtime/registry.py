"""The local registry: the only way for our images into a cluster, as in kind's own documentation.

One a machine, shared by its clusters: tags are digests of inputs, so no cluster can change what another one runs.
"""

import http.client
import json
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from doorbuster_cluster.builds.engine import Engine
from doorbuster_cluster.errors import ClusterError

NAME = "doorbuster-registry"
INSIDE_PORT = 5000
ASK_SECONDS = 5.0
START_SECONDS = 60.0
POLL_SECONDS = 0.1
PUSH_SECONDS = 600.0
ACCEPTED = "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """The registry's container.

    Attributes:
        port: on 127.0.0.1; image names begin with `localhost:<port>`.
        storage: folder that keeps the layers over restarts.
    """

    engine: Engine
    port: int
    storage: Path

    @property
    def host(self) -> str:
        """What the names of images in it begin with."""
        return f"localhost:{self.port}"

    def start(self, image: str) -> None:
        """Run the registry on its port unless it runs there already, and return when it answers.

        Raises:
            ClusterError: it doesn't answer within a minute.
            CommandFailed: the engine can't run it.
        """
        published = self.engine.try_docker("port", NAME, str(INSIDE_PORT))
        if not published.ok or published.stdout.strip() != f"127.0.0.1:{self.port}":
            self._run(image)
        self._wait_for_an_answer()

    def _run(self, image: str) -> None:
        self.remove()
        self.storage.mkdir(parents=True, exist_ok=True)
        self.engine.docker(
            "run", "--detach", "--restart", "always", "--name", NAME,
            "--publish", f"127.0.0.1:{self.port}:{INSIDE_PORT}",
            "--volume", f"{self.storage}:/var/lib/registry", image,
        )  # fmt: skip

    def _wait_for_an_answer(self) -> None:
        """Wait for the process in the container: the engine answers on the port as soon as that is published."""
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if time.monotonic() >= deadline:
                raise ClusterError(
                    f"the local registry doesn't answer on 127.0.0.1:{self.port}", hint=f"docker logs {NAME} says why"
                )
            time.sleep(POLL_SECONDS)

    def _answers(self) -> bool:
        try:
            with _opener().open(f"http://127.0.0.1:{self.port}/v2/", timeout=ASK_SECONDS):
                return True
        except urllib.error.HTTPError as exc:
            exc.close()
            return True
        except (OSError, http.client.HTTPException):
            return False

    def remove(self) -> None:
        """Remove the container; what was pushed stays in `storage`."""
        self.engine.try_docker("rm", "--force", "--volumes", NAME)

    def push(self, reference: str) -> None:
        """Put an image of the engine into the registry, unless it is there already."""
        if not self.has(reference):
            self.push_anew(reference)

    def push_anew(self, reference: str) -> None:
        """Put an image of the engine into the registry, in place of what has that name there."""
        self.engine.docker("push", "--quiet", reference, timeout_seconds=PUSH_SECONDS)

    def has(self, reference: str) -> bool:
        """Return whether the registry serves the image."""
        return self.digest(reference) is not None

    def digest(self, reference: str) -> str | None:
        """Return the digest under which the registry serves the image, None when it doesn't."""
        path, _, tag = reference.removeprefix(f"{self.host}/").rpartition(":")
        url = f"http://127.0.0.1:{self.port}/v2/{path}/manifests/{tag}"
        request = urllib.request.Request(url, method="HEAD", headers={"Accept": ACCEPTED})
        try:
            with _opener().open(request, timeout=ASK_SECONDS) as answer:
                digest: str | None = answer.headers["Docker-Content-Digest"]
                return digest
        except urllib.error.HTTPError as exc:
            exc.close()
            return None
        except (OSError, http.client.HTTPException):
            return None

    def join(self, network: str, address: str) -> None:
        """Connect the registry to a cluster's network; does nothing when it is connected.

        Args:
            network: the network's name.
            address: a fixed one, so that after a restart of the engine it never takes the node's.
        """
        networks = json.loads(self.engine.docker("inspect", "--format", "{{json .NetworkSettings.Networks}}", NAME))
        if network not in networks:
            self.engine.docker("network", "connect", "--ip", address, network, NAME)

    def leave(self, network: str) -> None:
        """Disconnect the registry from a cluster's network."""
        self.engine.try_docker("network", "disconnect", "--force", network, NAME)


def _opener() -> urllib.request.OpenerDirector:
    """Return what asks straight on loopback, whatever proxy the environment names for the rest of the world."""
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))
