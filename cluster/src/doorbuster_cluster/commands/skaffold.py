"""`make skaffold-run` and `make skaffold-dev`: the platform that runs, rebuilt and rolled out by skaffold (P23).

Cluster, registry, Secrets and the values of each release are the business of `make up`, which comes first.
"""

from doorbuster_cluster.builds.go_programs import PROGRAMS
from doorbuster_cluster.commands.build_tasks import image_task, program_tasks, wheel_task
from doorbuster_cluster.commands.prepare import prepare_machine
from doorbuster_cluster.commands.session import Machine, Session
from doorbuster_cluster.commands.supply import APPS
from doorbuster_cluster.commands.up import RELEASES, supply_for
from doorbuster_cluster.errors import ClusterError
from doorbuster_cluster.host.lock import held
from doorbuster_cluster.process import attend
from doorbuster_cluster.progress import Progress
from doorbuster_cluster.runtime.releases import values_file
from doorbuster_cluster.runtime.skaffold import Mode, arguments, environment, write_preferences
from doorbuster_cluster.settings import REPOSITORY, Settings
from doorbuster_cluster.work import run_tasks

PROGRAM = "skaffold"


def run_skaffold(settings: Settings, progress: Progress, *, mode: Mode) -> int:
    """Return skaffold's exit status; builds skaffold itself when it isn't there (P3).

    The lock is held to the end: until then only skaffold changes the cluster, and its builds happen under it.

    Raises:
        ClusterError: the platform isn't up, or something that skaffold needs can't be had.
    """
    with held(Machine(settings).lock, f"make skaffold-{mode}"):
        _insist_on_the_platform(settings)
        engine, choice = prepare_machine(settings, progress)
        session = Session(settings, engine, progress)
        run_tasks(program_tasks(session, [PROGRAM]))
        write_preferences(settings)
        argv = [session.go.path(PROGRAMS[PROGRAM]), *arguments(mode, settings, prefix=session.images.prefix)]
        return attend(argv, env=environment(settings, session.tools, images=choice), cwd=REPOSITORY)


def build_for_skaffold(settings: Settings, progress: Progress, name: str, *, reference: str) -> None:
    """Build the image as `make up` does, and push it under the name that skaffold has given it.

    Whoever called skaffold holds the lock.

    Args:
        settings: say whether the base is built or pulled; skaffold's environment does.
        progress: shows the steps.
        name: `apps` or `operator`.
        reference: skaffold's name for it, with a tag that stands for the sources.

    Raises:
        ClusterError: a source was changed in between; skaffold builds again then.
        CommandFailed: a step of the build failed.
    """
    session = Session(settings, Machine(settings).running_engine(), progress)
    supply = supply_for(session, settings.images)
    source = supply.apps if name == APPS else supply.operator
    ours = session.images.reference(source)
    run_tasks([wheel_task(session, source), image_task(session, source)])
    session.engine.docker("tag", ours, reference)
    with progress.step(f"push image {name}"):
        session.registry.push_anew(reference)


def _insist_on_the_platform(settings: Settings) -> None:
    missing = [name for name in RELEASES if not values_file(settings, name).exists()]
    if missing or not settings.kubeconfig.exists():
        raise ClusterError(
            f"the platform isn't up in the cluster {settings.cluster}: there are no values of {', '.join(missing)}"
            if missing
            else f"there is no cluster {settings.cluster}",
            hint="`make up` makes cluster, Secrets and values",
        )
