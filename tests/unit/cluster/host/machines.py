"""Machines as `facts` would describe them, to be varied by tests."""

from dataclasses import replace

from doorbuster_cluster.host.distribution import Distribution
from doorbuster_cluster.host.engines import EngineFacts
from doorbuster_cluster.host.facts import MachineFacts, PortFacts, PortState
from doorbuster_cluster.host.packages import Purpose
from doorbuster_cluster.host.programs import ProgramFacts
from doorbuster_cluster.settings import Settings, read_settings

GB = 10**9
GIB = 2**30
NOTHING_MISSING: dict[Purpose, tuple[str, ...]] = dict.fromkeys(Purpose, ())
NO_ENGINE = "Cannot connect to the Docker daemon"

ENGINE = EngineFacts(
    address=None,
    version="28.1.0",
    architecture="amd64",
    cores=8,
    memory_bytes=16 * GIB,
    cgroup_version=2,
    data_root="/var/lib/docker",
)
OWN_ENGINE = replace(ENGINE, address="unix:///cache/engine/docker.sock", version="20.10.24", data_root="/cache/engine")

PORTS = (
    PortFacts(number=8080, variable="DOORBUSTER_PORT", state=PortState.FREE, holder=None),
    PortFacts(number=5001, variable="DOORBUSTER_REGISTRY_PORT", state=PortState.FREE, holder=None),
)

# A developer's Linux with Docker and the public registries.
DEVELOPER = MachineFacts(
    system="Linux",
    architecture="amd64",
    distribution=Distribution(id="ubuntu", version=24),
    is_root=False,
    cores=8,
    memory_bytes=16 * GIB,
    free_disk_bytes=100 * GB,
    built_before=False,
    sys_resource=False,
    cgroup_version=2,
    existing_engine=ENGINE,
    existing_privileged=True,
    existing_refusal="",
    own_engine=None,
    foreign_daemons=(4242,),
    registry_reachable=True,
    ports=PORTS,
    programs={"docker": ProgramFacts(path="/usr/bin/docker", version=(28, 1, 0))},
    missing_packages={},
)
# The same on a Mac: the engine is in a virtual machine, so there is no daemon to be seen.
MAC = replace(
    DEVELOPER,
    system="Darwin",
    architecture="arm64",
    distribution=Distribution(id=None, version=None),
    sys_resource=None,
    cgroup_version=None,
    foreign_daemons=(),
)
# Root on Debian with nothing but Go, and without a container registry.
BARE_DEBIAN = replace(
    DEVELOPER,
    distribution=Distribution(id="debian", version=12),
    is_root=True,
    cgroup_version=1,
    existing_engine=None,
    existing_privileged=None,
    existing_refusal=NO_ENGINE,
    foreign_daemons=(),
    registry_reachable=None,
    programs={"go": ProgramFacts(path="/usr/local/go/bin/go", version=(1, 26, 8))},
    missing_packages={
        Purpose.ENGINE: ("docker.io", "nftables"),
        Purpose.BUILD: ("maven", "mmdebstrap"),
        Purpose.CHECKS: ("shellcheck",),
    },
)
# The same once its packages are installed.
DEBIAN = replace(BARE_DEBIAN, registry_reachable=False, missing_packages=NOTHING_MISSING)


def settings(**variables: str) -> Settings:
    """Return settings as the environment would give them; `engine="own"` stands for DOORBUSTER_ENGINE=own."""
    environment = {f"DOORBUSTER_{name.upper()}": value for name, value in variables.items()}
    return read_settings({"HOME": "/home/someone"} | environment)
