"""skaffold.yaml is what skaffold's own schema says, taken from the Go module that skaffold is built from.

Here because this tier fetches modules anyway. Schema kept in the cache; the module isn't.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft7Validator

from doorbuster_cluster.builds.go_programs import SOURCES
from doorbuster_cluster.digests import digest_of_files, files_below
from doorbuster_cluster.process import run
from doorbuster_cluster.runtime.skaffold import FILE
from doorbuster_cluster.settings import read_settings

pytestmark = pytest.mark.operator_api

FETCH_SECONDS = 300.0
MODULE = "github.com/GoogleContainerTools/skaffold/v2"
PINNED = SOURCES / "skaffold"
DOCUMENTS: list[dict[str, object]] = list(yaml.safe_load_all(FILE.read_text()))


@pytest.fixture(scope="module")
def validator() -> Draft7Validator:
    """The schema of the version that skaffold.yaml names."""
    (version,) = {str(document["apiVersion"]) for document in DOCUMENTS}
    return Draft7Validator(json.loads(schema_file(version.removeprefix("skaffold/")).read_text()))


def schema_file(version: str) -> Path:
    """Return the schema's file; fetched unless the cache has it."""
    pinned = digest_of_files(PINNED, files_below(PINNED))
    kept = read_settings(os.environ).cache / "schemas" / f"skaffold-{version}-{pinned}.json"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as modules:
            found = fetched(Path(modules)) / "docs-v2" / "content" / "en" / "schemas" / f"{version}.json"
            shutil.copyfile(found, kept)
    return kept


def fetched(modules: Path) -> Path:
    """Return the folder of skaffold's module, checked against go.sum."""
    environment = {
        **os.environ, "GOFLAGS": "-mod=readonly -modcacherw", "GOTOOLCHAIN": "local", "GOWORK": "off",
        "GOMODCACHE": str(modules),
    }  # fmt: skip
    told = run(["go", "mod", "download", "-json", MODULE], cwd=PINNED, env=environment, timeout_seconds=FETCH_SECONDS)
    return Path(json.loads(told)["Dir"])


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document["metadata"]["name"])
def test_skaffold_accepts_the_file(validator: Draft7Validator, document: Mapping[str, object]) -> None:
    complaints = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)]

    assert complaints == []


def test_skaffold_would_notice_a_word_that_it_does_not_know(validator: Draft7Validator) -> None:
    assert not validator.is_valid({**DOCUMENTS[0], "deploi": {}})
