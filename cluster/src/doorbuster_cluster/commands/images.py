"""`doorbuster-cluster images`: has engine and images ready, without a cluster, for tests in containers."""

import json
from collections.abc import Mapping
from pathlib import Path

import yaml

from doorbuster_cluster.builds.images import read_source
from doorbuster_cluster.commands.build_tasks import image_task
from doorbuster_cluster.commands.prepare import prepare_machine
from doorbuster_cluster.commands.session import Machine, Session
from doorbuster_cluster.commands.supply import MONITORS, PULL_SECONDS, STORES
from doorbuster_cluster.host.lock import held
from doorbuster_cluster.progress import Progress
from doorbuster_cluster.settings import REPOSITORY, ImagesChoice, Settings
from doorbuster_cluster.work import run_tasks

CHARTS = REPOSITORY / "charts"
# Whose values name the published image.
CHART_OF = {**dict.fromkeys(STORES, "data"), **dict.fromkeys(MONITORS, "observability")}


def provide_images(settings: Settings, progress: Progress, file: Path) -> None:
    """Build or pull the images of stores, Prometheus and Alertmanager, and write where they are.

    Args:
        settings: as for `make up`.
        progress: shows the steps.
        file: receives JSON: `docker_host` (null: the client's default) and `images`, references by image.
    """
    with held(Machine(settings).lock, "doorbuster-cluster images"):
        engine, choice = prepare_machine(settings, progress)
        session = Session(settings, engine, progress)
        images = _build(session) if choice is ImagesChoice.BUILD else _pull(session)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"docker_host": engine.address, "images": images}, indent=2) + "\n")


def _build(session: Session) -> dict[str, str]:
    run_tasks([image_task(session, read_source(name)) for name in CHART_OF])
    return {name: session.images.reference(read_source(name)) for name in CHART_OF}


def _pull(session: Session) -> dict[str, str]:
    values = {chart: yaml.safe_load((CHARTS / chart / "values.yaml").read_text()) for chart in set(CHART_OF.values())}
    references = {name: published_reference(values[chart][name]["image"]) for name, chart in CHART_OF.items()}
    for reference in references.values():
        if not session.engine.has_image(reference):
            with session.progress.step(f"pull {reference}"):
                session.engine.docker("pull", "--quiet", reference, timeout_seconds=PULL_SECONDS)
    return references


def published_reference(image: Mapping[str, str]) -> str:
    """Return the full name of an image in a chart's values: registry, repository and tag."""
    return f"{image['registry']}/{image['repository']}:{image['tag']}"
