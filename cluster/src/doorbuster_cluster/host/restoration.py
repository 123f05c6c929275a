"""Works out the commands that bring the machine back. Pure.

Only what is recognisably an engine's or a kubelet's is undone; a person's own rules, links and mounts are never
touched, not even when they are new. What is left over then shows as a difference.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from doorbuster_cluster.host.differences import added_rules
from doorbuster_cluster.host.kernel import path_of
from doorbuster_cluster.host.machine_state import NO_POLICY, Chain, MachineState

# How Docker, Kubernetes and CNI plugins name what they make.
OUR_CHAIN = re.compile(r"(DOCKER|KUBE-|CNI-)")
_LINK = r"(docker0|br-[0-9a-f]{12}|veth[0-9a-f]{7})"
OUR_LINK = re.compile(rf"{_LINK}$")
OUR_RULE = re.compile(
    rf"-[jg] {OUR_CHAIN.pattern}"
    rf"|-[io] {_LINK}( |$)"
    # A container that calls its own published port: the engine's only rule without a chain or link of its own.
    r"|-s (?P<container>\S+/(32|128)) -d (?P=container) .*-j MASQUERADE"
)
OUR_NAMESPACE = re.compile(r"cni-[0-9a-f-]{36}$")
IPTABLES_TABLES = ("filter", "nat", "mangle", "raw", "security")
NFT_FAMILIES = {"ip": "iptables-nft", "ip6": "ip6tables-nft"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreStep:
    """A command that undoes a change.

    Attributes:
        argv: the program and its arguments.
        stdin: what it reads; None means nothing.
    """

    argv: tuple[str, ...]
    stdin: str | None = None


def restoration(before: MachineState, after: MachineState) -> tuple[RestoreStep, ...]:
    """Return the commands that lead from `after` towards `before`, in the order in which they work.

    Some changes show only when others are undone (a table is empty after its rules are gone, sysctls depend on each
    other), so the caller reads the machine again and asks once more until there is nothing left to do.
    """
    return (
        *_unmount(before, after),
        *_delete_namespaces(before, after),
        *_delete_links(before, after),
        *_restore_chains(before, after),
        *_delete_empty_tables(before, after),
        *_delete_cgroups(before, after),
        *_delete_files(before, after),
        *_write_sysctls(before, after),
    )


def _unmount(before: MachineState, after: MachineState) -> Iterator[RestoreStep]:
    # The innermost come last in the alphabet; lazily, because a dying process may still hold one.
    for point in sorted({*after.mounts} - {*before.mounts}, reverse=True):
        yield RestoreStep(argv=("umount", "--lazy", point))


def _delete_namespaces(before: MachineState, after: MachineState) -> Iterator[RestoreStep]:
    for name in sorted({*after.namespaces} - {*before.namespaces}):
        if OUR_NAMESPACE.match(name):
            yield RestoreStep(argv=("ip", "netns", "delete", name))


def _delete_links(before: MachineState, after: MachineState) -> Iterator[RestoreStep]:
    for name in sorted({*after.links} - {*before.links}):
        if OUR_LINK.match(name):
            yield RestoreStep(argv=("ip", "link", "delete", name))


def _restore_chains(before: MachineState, after: MachineState) -> Iterator[RestoreStep]:
    former = {chain.place: chain for chain in before.chains}
    present = {chain.place: chain for chain in after.chains}
    tables = sorted({place[:2] for place in former.keys() | present.keys()})
    for backend, table in tables:
        places = sorted(place for place in former.keys() | present.keys() if place[:2] == (backend, table))
        lines = _table_lines([(place[2], former.get(place), present.get(place)) for place in places])
        if lines:
            text = "\n".join([f"*{table}", *lines, "COMMIT", ""])
            yield RestoreStep(argv=(f"{backend}-restore", "--noflush"), stdin=text)


def _table_lines(chains: list[tuple[str, Chain | None, Chain | None]]) -> list[str]:
    """Return the commands for one table, which iptables-restore applies all together or not at all."""
    ours = [(name, old, new) for name, old, new in chains if OUR_CHAIN.match(name) and old != new]
    return [
        # Jumps go before the chains that they lead to.
        *(line for name, old, new in chains if not OUR_CHAIN.match(name) for line in _cleaned(name, old, new)),
        *(f"-F {name}" for name, _, new in ours if new),
        *(f"-X {name}" for name, old, _ in ours if not old),
        *(f"-N {name}" for name, _, new in ours if not new),
        *(rule for _, old, _ in ours if old for rule in old.rules),
    ]


def _cleaned(name: str, old: Chain | None, new: Chain | None) -> Iterator[str]:
    """Yield what takes our rules out of a chain that isn't ours, and gives it back its policy."""
    for rule in added_rules(old, new):
        if OUR_RULE.search(rule):
            yield rule.replace("-A", "-D", 1)
    old_policy, new_policy = (chain.policy if chain else "ACCEPT" for chain in (old, new))
    # Engines set this one policy and no other.
    if name == "FORWARD" and old_policy != new_policy and NO_POLICY not in (old_policy, new_policy):
        yield f"-P {name} {old_policy}"


def _delete_empty_tables(before: MachineState, after: MachineState) -> Iterator[RestoreStep]:
    used = {(chain.backend, chain.table) for chain in after.chains}
    for name in sorted({*after.nft_tables} - {*before.nft_tables}):
        family, table = name.split(maxsplit=1)
        managed = family in NFT_FAMILIES and table in IPTABLES_TABLES
        if managed and (NFT_FAMILIES[family], table) not in used:
            yield RestoreStep(argv=("nft", "delete", "table", family, table))


def _delete_cgroups(before: MachineState, after: MachineState) -> Iterator[RestoreStep]:
    for path in sorted({*after.cgroups} - {*before.cgroups}):
        # Only the folders can be deleted there, the innermost first; one with a process in it stays.
        yield RestoreStep(argv=("find", path, "-depth", "-type", "d", "-delete"))


def _delete_files(before: MachineState, after: MachineState) -> Iterator[RestoreStep]:
    for path in sorted({*after.files} - {*before.files}, reverse=True):
        yield RestoreStep(argv=("rm", "--recursive", "--force", "--one-file-system", path))


def _write_sysctls(before: MachineState, after: MachineState) -> Iterator[RestoreStep]:
    changed = [name for name, value in before.sysctls.items() if after.sysctls.get(name, value) != value]
    for name in sorted(changed, key=_writing_order):
        yield RestoreStep(argv=("tee", str(path_of(name))), stdin=before.sysctls[name])


def _writing_order(name: str) -> tuple[int, str]:
    """Return a sort key: forwarding first, because writing it sets many others (the kernel's ip-sysctl document)."""
    if name == "net.ipv4.ip_forward" or name.endswith(".conf.all.forwarding"):
        return 0, name
    return (1 if ".conf.all." in name else 2 if ".conf.default." in name else 3), name
