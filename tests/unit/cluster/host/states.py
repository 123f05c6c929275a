"""States of a machine for tests: an unused one, and what engines make of it."""

from doorbuster_cluster.host.machine_state import Chain, MachineState

UNUSED = MachineState(
    boot_id="boot-1",
    sysctls={"net.ipv4.ip_forward": "0", "vm.overcommit_memory": "0"},
    chains=(),
    nft_tables=(),
    links=("eth0", "lo"),
    routes=("dst=default gateway=192.0.2.1 dev=eth0",),
    mounts=(),
    cgroups=(),
    namespaces=(),
    files=(),
)


def chain(name: str, *rules: str, policy: str = "-", table: str = "filter", backend: str = "iptables-nft") -> Chain:
    """Return a chain; its rules are given without their `-A <chain>`."""
    full = tuple(f"-A {name} {rule}" for rule in rules)
    return Chain(backend=backend, table=table, name=name, policy=policy, rules=full)
