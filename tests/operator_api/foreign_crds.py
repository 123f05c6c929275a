"""Custom resource definitions that our charts use and don't own, from the Go modules of the projects that do.

`crds/go.mod` says which versions, `crds/go.sum` what is in them. Kept in the cache; the modules aren't.
"""

import json
import os
import shutil
import tempfile
from pathlib import Path

from doorbuster_cluster.digests import digest_of_files, files_below
from doorbuster_cluster.process import run
from doorbuster_cluster.settings import read_settings

SOURCES = Path(__file__).parent / "crds"
FETCH_SECONDS = 300.0
# Where in its module each one is.
FILES = {
    "sigs.k8s.io/gateway-api": ("config/crd/standard/gateway.networking.k8s.io_httproutes.yaml",),
    "github.com/prometheus-operator/prometheus-operator": (
        "example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml",
        "example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml",
    ),
}


def foreign_crds() -> list[Path]:
    """Return the manifests; fetched unless the cache has them."""
    folder = read_settings(os.environ).cache / "crds" / digest_of_files(SOURCES, files_below(SOURCES))
    wanted = [folder / Path(name).name for names in FILES.values() for name in names]
    if not all(file.exists() for file in wanted):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as modules:
            for module, source in _fetched(Path(modules)).items():
                for name in FILES[module]:
                    shutil.copyfile(source / name, folder / Path(name).name)
    return wanted


def _fetched(modules: Path) -> dict[str, Path]:
    """Return the folder of each module, checked against go.sum."""
    environment = {
        **os.environ, "GOFLAGS": "-mod=readonly -modcacherw", "GOTOOLCHAIN": "local", "GOWORK": "off",
        "GOMODCACHE": str(modules),
    }  # fmt: skip
    text = run(["go", "mod", "download", "-json", *FILES], cwd=SOURCES, env=environment, timeout_seconds=FETCH_SECONDS)
    return {found["Path"]: Path(found["Dir"]) for found in _documents(text)}


def _documents(text: str) -> list[dict[str, str]]:
    """Return the JSON objects that stand one behind the other in a text."""
    decoder = json.JSONDecoder()
    found, position = [], 0
    while position < len(text.rstrip()):
        document, position = decoder.raw_decode(text, position)
        found.append(document)
        position += len(text[position:]) - len(text[position:].lstrip())
    return found
