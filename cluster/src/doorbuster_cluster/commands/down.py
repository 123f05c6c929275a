"""`make down`: removes the cluster and, with the last one, everything else that `make up` changed on this machine."""

import shutil

from doorbuster_cluster.commands.session import Machine, Session
from doorbuster_cluster.host.lock import held
from doorbuster_cluster.host.packages import installed_by_us
from doorbuster_cluster.host.restore import read_record, restore
from doorbuster_cluster.host.service_policy import restore_policy
from doorbuster_cluster.progress import Progress
from doorbuster_cluster.settings import Settings


def bring_down(settings: Settings, progress: Progress) -> None:
    """Remove the cluster; with no other left also registry and engine, and put the machine back as it was.

    What stays: the cache (programs, images) and Debian packages; the latter are listed.

    Raises:
        HostNotRestored: something is left that was not there before the first `make up`.
    """
    machine = Machine(settings)
    with held(machine.lock, "make down"):
        # Left behind when an installation of packages was killed.
        restore_policy()
        _start_engine_again(machine, progress)
        session = Session(settings, machine.running_engine(), progress)
        _remove_cluster(session)
        others = machine.clusters()
        if others:
            progress.note(f"engine and registry stay for: {', '.join(others)}")
            return
        session.registry.remove()
        _restore_machine(machine, progress)
    _list_packages(machine, progress)


def _start_engine_again(machine: Machine, progress: Progress) -> None:
    """Only a running engine can take its containers and networks apart; ours may have been killed."""
    if (machine.own_engine.folder / "pid").exists() and not machine.own_engine.answers():
        with progress.step("start our own container engine again, to take it apart"):
            machine.own_engine.start()


def _remove_cluster(session: Session) -> None:
    with session.progress.step(f"remove the cluster {session.settings.cluster}"):
        session.registry.leave(session.settings.cluster)
        session.cluster.delete()
        shutil.rmtree(session.settings.state, ignore_errors=True)


def _restore_machine(machine: Machine, progress: Progress) -> None:
    before = read_record(machine.record)
    with progress.step("stop our own container engine"):
        machine.own_engine.stop()
    if before is not None:
        with progress.step("put the machine back as it was"):
            restore(before, machine.own_engine.folder)
    machine.record.unlink(missing_ok=True)


def _list_packages(machine: Machine, progress: Progress) -> None:
    packages = installed_by_us(machine.packages)
    if packages:
        progress.note(f"{len(packages)} Debian packages stay installed; {machine.packages} lists them")
    progress.note(f"the cache stays in {machine.settings.cache}; `make clean` removes it")
