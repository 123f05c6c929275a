"""Gets the machine ready: judges it, records it, installs packages, has an engine running."""

from doorbuster_cluster.builds.engine import Engine
from doorbuster_cluster.commands.session import Machine
from doorbuster_cluster.errors import ClusterError
from doorbuster_cluster.host.doctor import diagnose
from doorbuster_cluster.host.facts import collect_facts
from doorbuster_cluster.host.findings import Diagnosis, Plan
from doorbuster_cluster.host.packages import install
from doorbuster_cluster.host.restore import record_machine_state
from doorbuster_cluster.progress import Progress
from doorbuster_cluster.settings import EngineChoice, ImagesChoice, Settings

# Only with the engine's client it can be found out that images have to be built, and building needs packages too.
INSTALL_ROUNDS = 2


def prepare_machine(settings: Settings, progress: Progress) -> tuple[Engine, ImagesChoice]:
    """Return an engine that answers, and whether images are pulled or built.

    Raises:
        ClusterError: something that `make doctor` calls a problem; the message lists all of them.
    """
    machine = Machine(settings)
    with progress.step("look at the machine"):
        plan = _plan(settings)
    if plan.engine is EngineChoice.OWN and not machine.own_engine.answers():
        record_machine_state(machine.record, machine.own_engine.folder)
    plan = _install_missing(settings, plan, progress)
    if plan.engine is EngineChoice.OWN:
        with progress.step("start our own container engine"):
            machine.own_engine.start()
    return _settle(settings, machine, plan)


def _install_missing(settings: Settings, plan: Plan, progress: Progress) -> Plan:
    """Install what the plan wants and return the one that follows from it."""
    for _ in range(INSTALL_ROUNDS):
        if not plan.packages:
            break
        with progress.step(f"install {' '.join(plan.packages)}"):
            install(plan.packages, Machine(settings).packages)
        plan = _plan(settings)
    return plan


def _plan(settings: Settings) -> Plan:
    diagnosis = diagnose(collect_facts(settings), settings)
    if diagnosis.problems:
        raise ClusterError(_told(diagnosis), hint="`make doctor` shows everything that was looked at")
    return diagnosis.plan


def _told(diagnosis: Diagnosis) -> str:
    lines = [f"  {found.subject}: {found.seen}; {found.why}\n    → {found.command}" for found in diagnosis.problems]
    return "this machine isn't ready:\n" + "\n".join(lines)


def _settle(settings: Settings, machine: Machine, plan: Plan) -> tuple[Engine, ImagesChoice]:
    images = plan.images if plan.images is not ImagesChoice.AUTO else _plan(settings).images
    if images is ImagesChoice.AUTO:
        raise ClusterError(
            "whether a container registry is in reach can't be found out",
            hint="say it: DOORBUSTER_IMAGES=pull or DOORBUSTER_IMAGES=build",
        )
    engine = machine.own_engine.engine if plan.engine is EngineChoice.OWN else Engine(address=None, own=False)
    return engine, images
