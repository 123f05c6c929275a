"""The machine as it was before the first change (PLATFORM_RULES P2), as a value that a file can keep.

Only what an engine, kind and a kubelet change, and only in a form that stays the same as long as nobody changes it:
no counters, no order that means nothing.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from doorbuster_cluster.errors import ClusterError

# The policy of a chain that a person or program made; only the kernel's own chains have one.
NO_POLICY = "-"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Chain:
    """A firewall chain as iptables-save shows it.

    Attributes:
        backend: the program family that shows it, e.g. `iptables-nft`, `ip6tables-legacy`.
        table: e.g. `filter`.
        name: e.g. `FORWARD`.
        policy: `ACCEPT` or `DROP` for the kernel's own chains, otherwise `-`.
        rules: in their order, as `-A <chain> …`, without counters.
    """

    backend: str
    table: str
    name: str
    policy: str
    rules: tuple[str, ...]

    @property
    def place(self) -> tuple[str, str, str]:
        """What tells the chain from all others."""
        return self.backend, self.table, self.name

    @property
    def is_untouched(self) -> bool:
        """Whether it is one of the kernel's own chains, as it is when nobody has used it."""
        return self.policy == "ACCEPT" and not self.rules


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineState:
    """What is recorded of a machine.

    Attributes:
        boot_id: the kernel's name for this boot; after another one nothing of ours runs any more.
        sysctls: values by name, with dots as in sysctl(8).
        chains: firewall chains that somebody made or used, sorted.
        nft_tables: names such as `ip filter`, sorted.
        links: names of network interfaces, sorted.
        routes: one line each, sorted.
        mounts: mount points below the folders of engines, sorted.
        cgroups: control groups named as engines and kubelets name theirs, as folders, sorted.
        namespaces: names of network namespaces, sorted.
        files: files and folders of engines outside our cache, sorted.
    """

    boot_id: str
    sysctls: Mapping[str, str]
    chains: tuple[Chain, ...]
    nft_tables: tuple[str, ...]
    links: tuple[str, ...]
    routes: tuple[str, ...]
    mounts: tuple[str, ...]
    cgroups: tuple[str, ...]
    namespaces: tuple[str, ...]
    files: tuple[str, ...]


def to_json(state: MachineState) -> str:
    """Return the state as a JSON document."""
    return json.dumps(asdict(state), indent=1, sort_keys=True) + "\n"


def from_json(text: str) -> MachineState:
    """Return the state that `to_json` wrote.

    Raises:
        ClusterError: the document is damaged or of another version.
    """
    try:
        content = json.loads(text)
        return MachineState(
            boot_id=str(content["boot_id"]),
            sysctls=dict(content["sysctls"]),
            chains=tuple(Chain(**{**chain, "rules": tuple(chain["rules"])}) for chain in content["chains"]),
            nft_tables=tuple(content["nft_tables"]),
            links=tuple(content["links"]),
            routes=tuple(content["routes"]),
            mounts=tuple(content["mounts"]),
            cgroups=tuple(content["cgroups"]),
            namespaces=tuple(content["namespaces"]),
            files=tuple(content["files"]),
        )
    except (ValueError, KeyError, TypeError) as exc:
        raise ClusterError(f"the record of the machine's former state can't be read: {exc}") from exc


def write_record(path: Path, state: MachineState) -> None:
    """Write the record so that a reader finds either all of it or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    draft.write_text(to_json(state))
    draft.replace(path)
