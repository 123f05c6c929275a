"""`doorbuster-cluster tools`: has kind, kubectl, helm, promtool or other programs ready, without engine or cluster."""

from collections.abc import Sequence
from pathlib import Path

from doorbuster_cluster.builds.engine import Engine
from doorbuster_cluster.builds.go_programs import PROGRAMS
from doorbuster_cluster.builds.promtool import NAME as PROMTOOL
from doorbuster_cluster.builds.promtool import provide_promtool
from doorbuster_cluster.commands.session import Machine, Session
from doorbuster_cluster.host.distribution import read_distribution
from doorbuster_cluster.host.lock import held
from doorbuster_cluster.progress import Progress
from doorbuster_cluster.runtime.toolbox import STAND_INS
from doorbuster_cluster.settings import Settings


def provide_tools(settings: Settings, progress: Progress, names: Sequence[str]) -> Path:
    """Return a folder with links to the programs; builds or fetches what is neither on PATH nor kept.

    Raises:
        CommandFailed: a program doesn't build, or its package can't be fetched.
    """
    session = Session(settings, Engine(address=None, own=False), progress)
    folder = settings.cache / "bin"
    with held(Machine(settings).lock, "doorbuster-cluster tools"):
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            link = folder / name
            link.unlink(missing_ok=True)
            link.symlink_to(_provide(session, name))
    return folder


def _provide(session: Session, name: str) -> Path:
    if name == PROMTOOL:
        with session.progress.step(f"have {name}"):
            return provide_promtool(session.settings.cache, read_distribution())
    if name in STAND_INS and session.tools.path(name).exists():
        return session.tools.path(name)
    program = PROGRAMS[STAND_INS.get(name, name)]
    if not session.go.has(program):
        with session.progress.step(f"build program {program.name}"):
            session.go.build(program)
    return session.tools.path(name) if name in STAND_INS else session.go.path(program)
