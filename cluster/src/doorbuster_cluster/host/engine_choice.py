"""Decides which container engine serves the cluster. Pure: facts and settings in, choice and finding out."""

from doorbuster_cluster.host.engines import EngineFacts
from doorbuster_cluster.host.facts import MachineFacts
from doorbuster_cluster.host.findings import Finding, fine, problem, warning
from doorbuster_cluster.host.packages import Purpose
from doorbuster_cluster.settings import EngineChoice, Settings

SUBJECT = "container engine"
NEVER_TWO = "two engines on one machine flush each other's firewall chains"


def choose_engine(facts: MachineFacts, settings: Settings) -> tuple[EngineChoice | None, Finding]:
    """Return the engine to use and what to tell about it; None when none can be had.

    An engine of ours that runs comes first, because the cluster is in it; then the one that answers; only then is one
    started, and never beside another.
    """
    if settings.engine is EngineChoice.EXISTING:
        return _existing(facts)
    if facts.own_engine is not None:
        return EngineChoice.OWN, _own_runs(facts, facts.own_engine)
    if settings.engine is EngineChoice.OWN:
        return _start_own(facts)
    if facts.existing_engine is not None:
        return _existing(facts)
    return _start_own(facts)


def _existing(facts: MachineFacts) -> tuple[EngineChoice | None, Finding]:
    engine = facts.existing_engine
    if engine is None:
        return None, problem(
            SUBJECT,
            f"no engine answers: {facts.existing_refusal}",
            why="DOORBUSTER_ENGINE=existing never starts one",
            command=_command_to_get_one(facts),
        )
    if facts.existing_privileged is False:
        return None, problem(
            SUBJECT,
            f"Docker {engine.version} answers, but refuses privileged containers",
            why="a Kubernetes node runs as a privileged container",
            command=_command_for_privileges(facts),
        )
    return EngineChoice.EXISTING, fine(SUBJECT, f"Docker {engine.version} answers and will be used")


def _own_runs(facts: MachineFacts, own: EngineFacts) -> Finding:
    if facts.existing_engine is not None or facts.foreign_daemons:
        return warning(
            SUBJECT,
            f"our own engine runs (Docker {own.version}), and another one beside it",
            why=NEVER_TWO,
            command="make down, then choose one with DOORBUSTER_ENGINE=existing or own",
        )
    return fine(SUBJECT, f"our own engine runs (Docker {own.version})")


def _start_own(facts: MachineFacts) -> tuple[EngineChoice | None, Finding]:
    hindrance = _why_not_start(facts)
    if hindrance is not None:
        return None, hindrance
    missing = facts.missing_packages.get(Purpose.ENGINE, ())
    after = f" after installing {', '.join(missing)}" if missing else ""
    return EngineChoice.OWN, fine(SUBJECT, f"no engine answers; make up starts its own{after}")


def _why_not_start(facts: MachineFacts) -> Finding | None:
    if facts.existing_engine is not None or facts.foreign_daemons:
        seen = f"Docker {facts.existing_engine.version} answers" if facts.existing_engine else _unreachable(facts)
        return problem(SUBJECT, seen, why=f"no engine is started beside it: {NEVER_TWO}", command=_use_theirs(facts))
    seen = f"no engine answers: {facts.existing_refusal}"
    if facts.system != "Linux" or not facts.distribution.is_debian:
        why = "an engine of our own is started only on Debian"
        return problem(SUBJECT, seen, why=why, command=_command_to_get_one(facts))
    if not facts.is_root:
        return problem(SUBJECT, seen, why="starting one needs root", command=_command_to_get_one(facts))
    return None


def _unreachable(facts: MachineFacts) -> str:
    processes = ", ".join(map(str, facts.foreign_daemons))
    return f"an engine runs (process {processes}) and can't be reached: {facts.existing_refusal}"


def _use_theirs(facts: MachineFacts) -> str:
    if facts.existing_engine is not None:
        return "unset DOORBUSTER_ENGINE to use that engine, or stop it"
    return "set DOCKER_HOST to that engine's address, or join its group: sudo usermod -aG docker $USER"


def _command_to_get_one(facts: MachineFacts) -> str:
    if facts.system == "Darwin":
        return "start Docker Desktop, Colima or another Docker engine"
    if "permission denied" in facts.existing_refusal.lower():
        return "sudo usermod -aG docker $USER, then log in again"
    if facts.distribution.is_debian and not facts.is_root:
        return "sudo apt-get install docker.io && sudo usermod -aG docker $USER, then log in again"
    return "install Docker with your distribution's package manager and start it"


def _command_for_privileges(facts: MachineFacts) -> str:
    if facts.sys_resource is False and facts.is_root and facts.distribution.is_debian:
        return "stop that engine: make up then starts its own, which does without CAP_SYS_RESOURCE"
    return "run the engine with root's rights, not rootless and not inside an unprivileged container"
