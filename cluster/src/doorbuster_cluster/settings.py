"""What a person may choose: environment variables, read once, into one frozen value."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from doorbuster_cluster.errors import ClusterError

REPOSITORY = Path(__file__).resolve().parents[3]
MINIMUM_PORT = 1024
CLUSTER_NAME_LENGTH = 30
# Containers, nodes and networks are named after it: the narrowest rule of all is that of a DNS label (RFC 1123).
CLUSTER_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")


class EngineChoice(StrEnum):
    """Which container engine serves the cluster."""

    AUTO = "auto"
    EXISTING = "existing"
    OWN = "own"


class ImagesChoice(StrEnum):
    """Where images come from."""

    AUTO = "auto"
    PULL = "pull"
    BUILD = "build"


class Size(StrEnum):
    """How much of the data plane is installed (PLATFORM_RULES P13)."""

    HA = "ha"
    SMALL = "small"


Choice = TypeVar("Choice", bound=StrEnum)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The choices of one run.

    Attributes:
        cluster: DOORBUSTER_CLUSTER. Name of the kind cluster. Another name is another cluster with its own state.
        port: DOORBUSTER_PORT. Port on 127.0.0.1 that reaches the ingress.
        registry_port: DOORBUSTER_REGISTRY_PORT. Port on 127.0.0.1 of the local registry; a part of image names.
        engine: DOORBUSTER_ENGINE. `existing` never starts an engine, `own` insists on one that we start; `auto`
            takes the one that answers.
        images: DOORBUSTER_IMAGES. `pull` uses published images, `build` builds all of them here; `auto` pulls when a
            container registry is in reach.
        size: DOORBUSTER_SIZE. `ha` or `small`.
        cache: DOORBUSTER_CACHE. Folder for what is expensive to make again: programs, images, the engine's data.
            `make clean` empties it.
    """

    cluster: str
    port: int
    registry_port: int
    engine: EngineChoice
    images: ImagesChoice
    size: Size
    cache: Path

    @property
    def state(self) -> Path:
        """Folder of this cluster's own state: its kubeconfig, its values, what must be undone."""
        return self.cache / "clusters" / self.cluster

    @property
    def kubeconfig(self) -> Path:
        """The cluster's kubeconfig; a person's own ~/.kube/config is never touched."""
        return self.state / "kubeconfig"


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Return the settings that the environment asks for.

    Raises:
        ClusterError: a variable has a value that is not allowed; the sentence names it and what is allowed.
    """
    default_cache = Path(environment.get("XDG_CACHE_HOME") or Path(environment.get("HOME", "/root")) / ".cache")
    cache = environment.get("DOORBUSTER_CACHE") or str(default_cache / "doorbuster")
    return Settings(
        cluster=_cluster_name(environment.get("DOORBUSTER_CLUSTER") or "doorbuster"),
        port=_port(environment, "DOORBUSTER_PORT", 8080),
        registry_port=_port(environment, "DOORBUSTER_REGISTRY_PORT", 5001),
        engine=_choice(environment, "DOORBUSTER_ENGINE", EngineChoice.AUTO),
        images=_choice(environment, "DOORBUSTER_IMAGES", ImagesChoice.AUTO),
        size=_choice(environment, "DOORBUSTER_SIZE", Size.HA),
        cache=Path(cache).expanduser().absolute(),
    )


def _choice(environment: Mapping[str, str], name: str, default: Choice) -> Choice:
    raw = environment.get(name) or default.value
    kind = type(default)
    try:
        return kind(raw)
    except ValueError:
        allowed = ", ".join(member.value for member in kind)
        raise ClusterError(f"{name} is {raw!r}; it can be: {allowed}") from None


def _port(environment: Mapping[str, str], name: str, default: int) -> int:
    raw = environment.get(name) or str(default)
    if not raw.isdecimal() or not MINIMUM_PORT <= int(raw) <= 65535:
        raise ClusterError(f"{name} is {raw!r}; it has to be a port from {MINIMUM_PORT} to 65535")
    return int(raw)


def _cluster_name(name: str) -> str:
    if not CLUSTER_NAME.fullmatch(name) or len(name) > CLUSTER_NAME_LENGTH:
        raise ClusterError(
            f"DOORBUSTER_CLUSTER is {name!r}; it has to be lower-case letters, digits and dashes inside, "
            f"at most {CLUSTER_NAME_LENGTH}"
        )
    return name
