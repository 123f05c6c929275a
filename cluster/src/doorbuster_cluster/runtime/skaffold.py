"""How skaffold is called for the local cluster: arguments, environment and its own configuration (P23)."""

import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

import yaml

from doorbuster_cluster.runtime.releases import values_folder
from doorbuster_cluster.runtime.toolbox import Toolbox
from doorbuster_cluster.settings import REPOSITORY, ImagesChoice, Settings

FILE = REPOSITORY / "skaffold.yaml"
# The only part of skaffold.yaml that `dev` handles: nobody rolls out stores at each change of a file (P23).
WATCHED = "operator-and-apps"
# What is told to skaffold once and for all. Its own place for that, ~/.skaffold/config, belongs to the person.
PREFERENCES: Mapping[str, object] = {
    "global": {
        "collect-metrics": False,
        "update-check": False,
        "survey": {"disable-prompt": True},
        # A cluster whose context begins with `kind-` would get images by `kind load`; ours pulls from the registry.
        "kind-disable-load": True,
    },
    "kubeContexts": [],
}


class Mode(StrEnum):
    """What skaffold does."""

    RUN = "run"
    DEV = "dev"


def arguments(mode: Mode, settings: Settings, *, prefix: str) -> list[str | Path]:
    """Return skaffold's arguments.

    Args:
        mode: `run` builds and deploys once; `dev` does it again at each change and ends with Ctrl-C.
        settings: name the cluster.
        prefix: what image names begin with, e.g. `localhost:5001/doorbuster`.
    """
    words: list[str | Path] = [
        mode.value, "--filename", FILE, "--config", _preferences(settings), "--interactive=false",
        "--kubeconfig", settings.kubeconfig, "--kube-context", f"kind-{settings.cluster}",
        "--default-repo", prefix,
        # Our builder knows itself what is there already, and asks the engine and the registry, not a file of its own.
        "--cache-artifacts=false",
        # By default images on a local cluster are told apart by their tags alone.
        "--digest-source", "local",
    ]  # fmt: skip
    if mode is Mode.DEV:
        # What Ctrl-C ends is the loop, neither the platform nor the images that `make up` uses as well (P23).
        words += ["--module", WATCHED, "--cleanup=false", "--no-prune=true", "--no-prune-children=true"]
    return words


def environment(settings: Settings, tools: Toolbox, *, images: ImagesChoice) -> dict[str, str]:
    """Return skaffold's environment, which its helm and our image builder get as well.

    Args:
        settings: of this run.
        tools: whose helm and kubectl skaffold has to find, and whose engine.
        images: what `auto` came to, so that the builder takes the base that `make up` takes.
    """
    folders = [str(tools.path(name).parent) for name in ("helm", "kubectl")]
    return {
        **tools.environment(),
        "PATH": os.pathsep.join([*folders, os.environ.get("PATH", os.defpath)]),
        # Skaffold installs its post-renderer as a plugin for each release; a person's own plugins aren't its business.
        # Helm 4.3 installs into the first of these and searches the second.
        "HELM_DATA_HOME": str(settings.state / "helm"),
        "HELM_PLUGINS": str(settings.state / "helm" / "plugins"),
        "DOORBUSTER_VALUES": str(values_folder(settings)),
        "DOORBUSTER_IMAGES": images.value,
    }


def write_preferences(settings: Settings) -> None:
    """Write skaffold's own configuration into the cluster's state."""
    _preferences(settings).write_text(yaml.safe_dump(dict(PREFERENCES)))


def _preferences(settings: Settings) -> Path:
    return settings.state / "skaffold.yaml"
