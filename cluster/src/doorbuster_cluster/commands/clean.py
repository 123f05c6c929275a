"""`make clean`: deletes the cache, so that the next `make up` begins from nothing."""

import shutil
from pathlib import Path

from doorbuster_cluster.commands.session import Machine
from doorbuster_cluster.errors import ClusterError
from doorbuster_cluster.host.lock import held
from doorbuster_cluster.process import run
from doorbuster_cluster.progress import Progress
from doorbuster_cluster.settings import Settings

# What outlives the cache: who else works here, and which packages were installed because of us.
KEPT = frozenset({"lock", "test.lock", "packages.json"})


def empty_cache(settings: Settings, progress: Progress) -> None:
    """Delete programs, images, the registry's storage and logs.

    Raises:
        ClusterError: a cluster or our engine still uses them.
    """
    machine = Machine(settings)
    with held(machine.lock, "make clean"):
        # The record says what has to be undone on this machine; `make down` deletes it when that is done.
        if machine.clusters() or machine.own_engine.answers() or machine.record.exists():
            raise ClusterError(f"a cluster or our engine still uses {settings.cache}", hint="type `make down` first")
        with progress.step(f"empty {settings.cache}"):
            for entry in settings.cache.iterdir():
                if entry.name not in KEPT:
                    _delete(entry)


def _delete(entry: Path) -> None:
    if not entry.is_dir():
        entry.unlink()
        return
    # Go writes its modules read-only, against being edited by accident.
    run(["chmod", "-R", "u+w", entry], timeout_seconds=300)
    shutil.rmtree(entry)
