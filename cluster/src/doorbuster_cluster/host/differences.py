"""Compares two states of the machine. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from doorbuster_cluster.host.machine_state import Chain, MachineState


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that is not as it was.

    Attributes:
        subject: what kind of thing, and which.
        change: what became of it.
    """

    subject: str
    change: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.change}"


def differences(before: MachineState, after: MachineState) -> tuple[Difference, ...]:
    """Return everything that is not as it was, in an order that doesn't depend on chance.

    Sysctls count only where both states have them: they appear and go with interfaces and kernel modules.
    """
    return (
        *_sysctl_differences(before.sysctls, after.sysctls),
        *_chain_differences(before.chains, after.chains),
        *_set_differences("nft table", before.nft_tables, after.nft_tables),
        *_set_differences("network interface", before.links, after.links),
        *_set_differences("route", before.routes, after.routes),
        *_set_differences("mount", before.mounts, after.mounts),
        *_set_differences("control group", before.cgroups, after.cgroups),
        *_set_differences("network namespace", before.namespaces, after.namespaces),
        *_set_differences("file", before.files, after.files),
    )


def added_rules(before: Chain | None, after: Chain | None) -> tuple[str, ...]:
    """Return the rules that only `after` has, each as often as it has more of it."""
    former = Counter(before.rules if before else ())
    return tuple((Counter(after.rules if after else ()) - former).elements())


def _sysctl_differences(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Difference]:
    for name in sorted(before.keys() & after.keys()):
        if before[name] != after[name]:
            yield Difference(subject=f"sysctl {name}", change=f"was {before[name]}, is {after[name]}")


def _chain_differences(before: tuple[Chain, ...], after: tuple[Chain, ...]) -> Iterator[Difference]:
    former, present = ({chain.place: chain for chain in chains} for chains in (before, after))
    for place in sorted(former.keys() | present.keys()):
        old, new = former.get(place), present.get(place)
        for change in _chain_changes(old, new):
            yield Difference(subject=f"firewall chain {' '.join(place)}", change=change)


def _chain_changes(old: Chain | None, new: Chain | None) -> Iterator[str]:
    old_policy, new_policy = (chain.policy if chain else "unused" for chain in (old, new))
    if old_policy != new_policy:
        yield f"its policy was {old_policy}, is {new_policy}"
    gone, added = added_rules(new, old), added_rules(old, new)
    yield from (f"rule is gone: {rule}" for rule in gone)
    yield from (f"rule is new: {rule}" for rule in added)
    if old and new and not gone and not added and old.rules != new.rules:
        yield "its rules are in another order"


def _set_differences(kind: str, before: tuple[str, ...], after: tuple[str, ...]) -> Iterator[Difference]:
    for name in sorted({*before} - {*after}):
        yield Difference(subject=f"{kind} {name}", change="is gone")
    for name in sorted({*after} - {*before}):
        yield Difference(subject=f"{kind} {name}", change="is new")
