"""Charts as helm renders them: one run for each set of values, kept for all tests."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from doorbuster_cluster.settings import REPOSITORY, read_settings

CHARTS = REPOSITORY / "charts"
DATA = CHARTS / "data"
APPS = CHARTS / "apps"
OBSERVABILITY = CHARTS / "observability"
OPERATOR = CHARTS / "operator"
NAMESPACE = "doorbuster"
HELM_SECONDS = 60

Manifest = dict[str, Any]


def helm(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run helm, from PATH or from where `make up` keeps it."""
    folders = os.pathsep.join((os.environ["PATH"], str(read_settings(os.environ).cache / "bin")))
    program = shutil.which("helm", path=folders)
    assert program is not None, "there is no helm; `make check` provides it"
    command = [program, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=HELM_SECONDS)


@cache
def packed_dependencies(chart: Path = DATA) -> None:
    """Bring the library chart into the chart, as `helm install` needs it."""
    built = helm("dependency", "build", chart, "--skip-refresh")
    assert built.returncode == 0, built.stderr


@cache
def rendered(scenario: str, settings: Sequence[str] = (), chart: Path = DATA) -> tuple[Manifest, ...]:
    """The manifests of a chart with the values of `ci/<scenario>-values.yaml`, as the release of the chart's name."""
    packed_dependencies(chart)
    flags = [flag for setting in settings for flag in ("--set", setting)]
    values = chart / "ci" / f"{scenario}-values.yaml"
    answer = helm("template", chart.name, chart, "--namespace", NAMESPACE, "--values", values, *flags)
    assert answer.returncode == 0, answer.stderr
    return tuple(manifest for manifest in yaml.safe_load_all(answer.stdout) if manifest)


def pods(manifests: Sequence[Manifest], *, hooks: bool = False) -> Iterator[tuple[str, int, Manifest]]:
    """Name, number and template of all pods; those that only hooks make are left out unless asked for."""
    for manifest in manifests:
        is_hook = "helm.sh/hook" in manifest["metadata"].get("annotations", {})
        if is_hook and not hooks:
            continue
        name = manifest["metadata"]["name"]
        if manifest["kind"] == "Pod":
            yield name, 1, manifest
        elif "template" in manifest.get("spec", {}):
            # Kubernetes' own default, for Jobs too.
            yield name, manifest["spec"].get("replicas", 1), manifest["spec"]["template"]


def cpu_of(container: Manifest) -> int:
    """A container's CPU request in millicores."""
    request = str(container["resources"]["requests"]["cpu"])
    return int(request.removesuffix("m")) if request.endswith("m") else int(request) * 1000


def cpu_of_pod(pod: Manifest) -> int:
    """The CPU requests of a pod's containers in millicores."""
    return sum(cpu_of(container) for container in pod["spec"]["containers"])
