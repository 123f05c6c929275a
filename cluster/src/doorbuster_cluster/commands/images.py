"""`doorbuster-cluster images`: has engine and images ready, without a cluster, for tests in containers."""

import json
from collections.abc import Mapping
from pathlib import Path

import yaml

from doorbuster_cluster.builds.images import read_source
from doorbuster_cluster.commands.build_tasks import image_task
from doorbuster_cluster.commands.prepare import prepare_machine
from doorbuster_cluster.commands.session import Machine, Session
from doorbuster_cluster.commands.supply import PULL_SECONDS, STORES
from doorbuster_cluster.host.lock import held
from doorbuster_cluster.progress import Progress
from doorbuster_cluster.settings import REPOSITORY, ImagesChoice, Settings
from doorbuster_cluster.work import run_tasks

CHART_VALUES = REPOSITORY / "charts" / "data" / "values.yaml"


def provide_images(settings: Settings, progress: Progress, file: Path) -> None:
    """Build or pull the images of MySQL, Redis and Kafka, and write where they are.

    Args:
        settings: as for `make up`.
        progress: shows the steps.
        file: receives JSON: `docker_host` (null: the client's default) and `images`, references by store.
    """
    with held(Machine(settings).lock, "doorbuster-cluster images"):
        engine, choice = prepare_machine(settings, progress)
        session = Session(settings, engine, progress)
        images = _build(session) if choice is ImagesChoice.BUILD else _pull(session)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"docker_host": engine.address, "images": images}, indent=2) + "\n")


def _build(session: Session) -> dict[str, str]:
    run_tasks([image_task(session, read_source(store)) for store in STORES])
    return {store: session.images.reference(read_source(store)) for store in STORES}


def _pull(session: Session) -> dict[str, str]:
    values = yaml.safe_load(CHART_VALUES.read_text())
    references = {store: published_reference(values[store]["image"]) for store in STORES}
    for reference in references.values():
        if not session.engine.has_image(reference):
            with session.progress.step(f"pull {reference}"):
                session.engine.docker("pull", "--quiet", reference, timeout_seconds=PULL_SECONDS)
    return references


def published_reference(image: Mapping[str, str]) -> str:
    """Return the full name of an image in a chart's values: registry, repository and tag."""
    return f"{image['registry']}/{image['repository']}:{image['tag']}"
