"""Records the machine before the first change, and brings it back: the only module here that changes the machine.

For an engine that we start. A person's own engine goes on after us, so there is nothing to restore beside it.
"""

from pathlib import Path

from doorbuster_cluster.errors import ClusterError, HostNotRestored
from doorbuster_cluster.host.differences import differences
from doorbuster_cluster.host.facts import find_foreign_daemons
from doorbuster_cluster.host.firewall import read_chains, read_nft_tables
from doorbuster_cluster.host.kernel import (
    ENGINE_FOLDERS,
    read_boot_id,
    read_cgroups,
    read_files,
    read_mounts,
    read_namespaces,
    read_sysctls,
)
from doorbuster_cluster.host.machine_state import MachineState, from_json, write_record
from doorbuster_cluster.host.network import read_links, read_routes
from doorbuster_cluster.host.restoration import RestoreStep, restoration
from doorbuster_cluster.process import attempt

# Rules, then tables that are empty by then, then sysctls that set others: three rounds are enough, the fourth is spare.
ROUNDS = 4
STEP_SECONDS = 30.0


def read_machine_state(engine_folder: Path) -> MachineState:
    """Return what this machine looks like now.

    Args:
        engine_folder: where our own engine keeps its files; mounts are looked for there and in engines' usual folders.
    """
    return MachineState(
        boot_id=read_boot_id(),
        sysctls=read_sysctls(),
        chains=read_chains(),
        nft_tables=read_nft_tables(),
        links=read_links(),
        routes=read_routes(),
        mounts=read_mounts([str(engine_folder), *ENGINE_FOLDERS]),
        cgroups=read_cgroups(),
        namespaces=read_namespaces(),
        files=read_files(),
    )


def record_machine_state(record: Path, engine_folder: Path) -> MachineState:
    """Return the machine's state before our first change, and keep it in the file.

    A record of this boot is kept as it is: the run that wrote it may have been killed after changes of its own. One of
    an earlier boot is replaced: nothing that we changed outlives a boot.
    """
    kept = read_record(record)
    if kept is not None:
        return kept
    state = read_machine_state(engine_folder)
    write_record(record, state)
    return state


def read_record(record: Path) -> MachineState | None:
    """Return the recorded state; None when there is none of this boot.

    Raises:
        ClusterError: the record is damaged.
    """
    if not record.exists():
        return None
    state = from_json(record.read_text())
    return state if state.boot_id == read_boot_id() else None


def restore(before: MachineState, engine_folder: Path) -> None:
    """Undo what our engine and cluster changed, and check that it worked. The engine has to be stopped.

    Raises:
        HostNotRestored: the machine is not as it was; the message lists every difference, and what failed.
        ClusterError: another engine runs, whose rules can't be told from ours.
    """
    daemons = find_foreign_daemons(engine_folder)
    if daemons:
        raise ClusterError(
            f"another container engine runs (process {', '.join(map(str, daemons))}): "
            "its firewall rules can't be told from ours",
            hint="stop it, then type make down again",
        )
    failures: list[str] = []
    for _ in range(ROUNDS):
        steps = restoration(before, read_machine_state(engine_folder))
        if not steps:
            break
        # Only the last round's count: an earlier one may fail on what a later one can do.
        failures = [failure for step in steps if (failure := _take(step))]
    verify(before, engine_folder, failures)


def verify(before: MachineState, engine_folder: Path, failures: list[str] | None = None) -> None:
    """Compare the machine with the recorded state.

    Raises:
        HostNotRestored: they differ; the message lists how, and the commands that failed.
    """
    found = differences(before, read_machine_state(engine_folder))
    if found:
        lines = [f"  {difference}" for difference in found] + [f"  {failure}" for failure in failures or ()]
        raise HostNotRestored(
            "the machine is not as it was before:\n" + "\n".join(lines),
            hint="undo these by hand; if it was you who changed them, delete the record and type make down again",
        )


def _take(step: RestoreStep) -> str:
    """Run one step; return what went wrong, or nothing."""
    try:
        done = attempt(step.argv, stdin=step.stdin, timeout_seconds=STEP_SECONDS)
    except ClusterError as exc:
        return str(exc)
    return "" if done.ok else f"{' '.join(step.argv)}: {done.stderr.strip()}"
