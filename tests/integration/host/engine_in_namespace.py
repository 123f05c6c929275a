"""Starts an engine of ours in a network namespace of its own, kills it, restores the namespace, and reports.

Run by test_restore.py with unshare(1), so that a real engine may leave real rules, links and sysctls behind without
touching those of the machine. Prints one JSON document.
"""

import json
import os
import signal
import sys
from pathlib import Path

from doorbuster_cluster.errors import ClusterError
from doorbuster_cluster.host.differences import differences
from doorbuster_cluster.host.engines import cgroup_version
from doorbuster_cluster.host.machine_state import MachineState
from doorbuster_cluster.host.restore import read_machine_state, restore
from doorbuster_cluster.process import run
from doorbuster_cluster.runtime.own_engine import OwnEngine

# A new namespace may begin with what the machine has; an engine sets a policy only where it switches this on.
NO_FORWARDING = "echo 0 > /proc/sys/net/ipv4/ip_forward"
# What a person may have set up before us, and must find again.
PERSONS_OWN = (
    "ip link add persons-bridge type bridge",
    "iptables -N persons-chain",
    "iptables -A persons-chain -s 203.0.113.7/32 -j DROP",
    "iptables -A FORWARD -m comment --comment 'two words' -j persons-chain",
    "iptables -t nat -A POSTROUTING -s 198.51.100.0/24 -j MASQUERADE",
    "nft add table inet persons-table",
)
# Engines write here wherever their data is; the machine's own folders must not see it.
HIDDEN_FOLDERS = ("/run", "/opt", "/etc/docker")
# What other engines and kubelets leave: rules of the other flavour and of the other family.
OTHER_TRACES = (
    "iptables-legacy -N DOCKER-USER",
    "iptables-legacy -A FORWARD -j DOCKER-USER",
    "iptables-legacy -P FORWARD DROP",
    "ip6tables-nft -t nat -N KUBE-SERVICES",
    "ip6tables-nft -t nat -A OUTPUT -j KUBE-SERVICES",
)
CGROUPS = Path("/sys/fs/cgroup")


def main(folder: Path, commands: tuple[str, ...]) -> None:
    """Do it all and print what was found."""
    for hidden in HIDDEN_FOLDERS:
        run(["mount", "-t", "tmpfs", "tmpfs", hidden])
    _type(NO_FORWARDING, *commands)
    before = read_machine_state(folder)
    refusal = _leave_traces(OwnEngine(folder=folder), before)
    traces = [str(difference) for difference in differences(before, read_machine_state(folder))]
    restore(before, folder)
    tables = run(["nft", "list", "tables"]).splitlines()
    report = {"traces": traces, "refusal": refusal, "rules": run(["iptables-save"]), "tables": tables}
    print(json.dumps(report))  # noqa: T201  # it is what this program is for


def _type(*commands: str) -> None:
    for command in commands:
        run(["sh", "-c", command])


def _leave_traces(own: OwnEngine, before: MachineState) -> str:
    """Return why nothing could be restored as long as the engine ran."""
    _type(*OTHER_TRACES)
    tree = CGROUPS if cgroup_version() == 2 else CGROUPS / "pids"
    (tree / "kubepods.slice" / "pod").mkdir(parents=True)
    own.start()
    try:
        refusal = _refusal(before)
        own.engine.docker("network", "create", "--subnet", "172.30.0.0/24", "traces")
        # No chance to clean up behind itself.
        os.kill(int((own.folder / "pid").read_text()), signal.SIGKILL)
    finally:
        own.stop()
    return refusal


def _refusal(before: MachineState) -> str:
    """Take the engine that runs for somebody else's."""
    try:
        restore(before, Path("/somewhere/else"))
    except ClusterError as exc:
        return str(exc)
    return "nothing was refused"


if __name__ == "__main__":
    main(Path(sys.argv[1]), PERSONS_OWN if sys.argv[2] == "used" else ())
