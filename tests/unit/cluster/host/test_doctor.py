from dataclasses import replace

import pytest

from doorbuster_cluster.host.doctor import diagnose
from doorbuster_cluster.host.facts import MachineFacts, PortFacts, PortState
from doorbuster_cluster.host.findings import Diagnosis, Finding, Plan, Status
from doorbuster_cluster.host.packages import Purpose
from doorbuster_cluster.host.programs import ProgramFacts
from doorbuster_cluster.settings import EngineChoice, ImagesChoice
from tests.unit.cluster.host.machines import (
    BARE_DEBIAN,
    DEBIAN,
    DEVELOPER,
    ENGINE,
    GB,
    GIB,
    MAC,
    OWN_ENGINE,
    settings,
)


def about(diagnosis: Diagnosis, subject: str) -> Finding:
    return next(finding for finding in diagnosis.findings if finding.subject == subject)


@pytest.mark.parametrize(
    ("facts", "plan"),
    [
        pytest.param(
            DEVELOPER, Plan(engine=EngineChoice.EXISTING, images=ImagesChoice.PULL, packages=()), id="a developer"
        ),
        pytest.param(MAC, Plan(engine=EngineChoice.EXISTING, images=ImagesChoice.PULL, packages=()), id="a Mac"),
        pytest.param(
            BARE_DEBIAN,
            Plan(engine=EngineChoice.OWN, images=ImagesChoice.AUTO, packages=("docker.io", "nftables")),
            id="bare Debian: the registry's question comes after the engine's packages",
        ),
        pytest.param(
            replace(BARE_DEBIAN, registry_reachable=False, missing_packages={Purpose.BUILD: ("mmdebstrap",)}),
            Plan(engine=EngineChoice.OWN, images=ImagesChoice.BUILD, packages=("mmdebstrap",)),
            id="then those for building",
        ),
        pytest.param(DEBIAN, Plan(engine=EngineChoice.OWN, images=ImagesChoice.BUILD, packages=()), id="then none"),
        pytest.param(
            replace(DEBIAN, own_engine=OWN_ENGINE, missing_packages=BARE_DEBIAN.missing_packages),
            Plan(engine=EngineChoice.OWN, images=ImagesChoice.BUILD, packages=("maven", "mmdebstrap")),
            id="our engine runs and needs no packages",
        ),
    ],
)
def test_a_good_machine_has_a_plan_and_no_problem(facts: MachineFacts, plan: Plan) -> None:
    diagnosis = diagnose(facts, settings())

    assert diagnosis.plan == plan
    assert diagnosis.problems == ()


def test_without_an_engine_there_is_no_plan_for_one() -> None:
    diagnosis = diagnose(replace(MAC, existing_engine=None, existing_refusal="no"), settings())

    assert diagnosis.plan.engine is None
    assert [finding.subject for finding in diagnosis.problems] == ["container engine"]


@pytest.mark.parametrize(
    ("facts", "command"),
    [
        pytest.param(
            replace(BARE_DEBIAN, existing_engine=ENGINE, registry_reachable=False),
            "sudo apt-get install --no-install-recommends maven mmdebstrap",
            id="an engine answers",
        ),
        pytest.param(
            replace(BARE_DEBIAN, own_engine=OWN_ENGINE, registry_reachable=False, is_root=False),
            "sudo apt-get install --no-install-recommends maven mmdebstrap",
            id="not root",
        ),
    ],
)
def test_packages_are_only_installed_as_root_on_debian_where_no_engine_answers(
    facts: MachineFacts, command: str
) -> None:
    diagnosis = diagnose(facts, settings())

    assert diagnosis.plan.packages == ()
    assert about(diagnosis, "packages").status is Status.PROBLEM
    assert about(diagnosis, "packages").command == command


@pytest.mark.parametrize(
    ("facts", "free", "status", "why"),
    [
        pytest.param(DEBIAN, 25 * GB, Status.OK, "", id="enough for a first build"),
        pytest.param(DEBIAN, 25 * GB - 1, Status.PROBLEM, "25 GB are needed for a first build", id="first build"),
        pytest.param(BARE_DEBIAN, 24 * GB, Status.PROBLEM, "for a first build", id="perhaps a first build"),
        pytest.param(replace(DEBIAN, built_before=True), 10 * GB, Status.OK, "", id="enough for a later build"),
        pytest.param(replace(DEBIAN, built_before=True), 9 * GB, Status.PROBLEM, "10 GB are needed", id="later build"),
        pytest.param(DEVELOPER, 10 * GB, Status.OK, "", id="enough to pull"),
        pytest.param(DEVELOPER, 9 * GB, Status.PROBLEM, "10 GB are needed", id="pull"),
    ],
)
def test_the_disk_has_to_hold_what_is_planned(facts: MachineFacts, free: int, status: Status, why: str) -> None:
    finding = about(diagnose(replace(facts, free_disk_bytes=free), settings()), "disk")

    assert finding.status is status
    assert why in finding.why


@pytest.mark.parametrize(
    ("state", "holder", "status", "seen"),
    [
        pytest.param(PortState.FREE, None, Status.OK, "free", id="free"),
        pytest.param(
            PortState.OURS, "doorbuster-registry", Status.OK, "by doorbuster-registry, which is ours", id="ours"
        ),
        pytest.param(PortState.TAKEN, "shop", Status.PROBLEM, "taken by the container shop", id="a container's"),
        pytest.param(PortState.TAKEN, None, Status.PROBLEM, "taken by another program", id="a program's"),
    ],
)
def test_a_port_has_to_be_free_or_ours(state: PortState, holder: str | None, status: Status, seen: str) -> None:
    port = PortFacts(number=8080, variable="DOORBUSTER_PORT", state=state, holder=holder)

    finding = about(diagnose(replace(DEVELOPER, ports=(port,)), settings()), "port 8080")

    assert finding.status is status
    assert seen in finding.seen
    assert ("set DOORBUSTER_PORT to a free port" in finding.command) is (status is Status.PROBLEM)


def test_two_things_on_one_port_are_a_problem() -> None:
    ports = tuple(replace(port, number=8080) for port in DEVELOPER.ports)

    finding = about(diagnose(replace(DEVELOPER, ports=ports), settings()), "ports")

    assert finding.status is Status.PROBLEM
    assert finding.seen == "DOORBUSTER_PORT and DOORBUSTER_REGISTRY_PORT name the same port"


@pytest.mark.parametrize(("cores", "status"), [(1, Status.WARNING), (2, Status.OK)])
def test_one_core_is_few(cores: int, status: Status) -> None:
    facts = replace(DEVELOPER, existing_engine=replace(ENGINE, cores=cores))

    assert about(diagnose(facts, settings()), "cores").status is status


@pytest.mark.parametrize(
    ("memory", "size", "status"),
    [
        (11 * GIB, "ha", Status.OK),
        (11 * GIB - 1, "ha", Status.WARNING),
        (5 * GIB, "small", Status.OK),
        (5 * GIB - 1, "small", Status.WARNING),
    ],
)
def test_memory_has_to_hold_the_chosen_size(memory: int, size: str, status: Status) -> None:
    facts = replace(DEVELOPER, existing_engine=replace(ENGINE, memory_bytes=memory))

    assert about(diagnose(facts, settings(size=size)), "memory").status is status


def test_the_engines_own_memory_counts_where_there_is_an_engine() -> None:
    facts = replace(MAC, memory_bytes=64 * GIB, existing_engine=replace(ENGINE, memory_bytes=2 * GIB))

    assert about(diagnose(facts, settings()), "memory").seen == "2.0 GiB"


def test_the_machines_memory_counts_before_there_is_an_engine() -> None:
    assert about(diagnose(replace(DEBIAN, memory_bytes=3 * GIB), settings()), "memory").seen == "3.0 GiB"


def test_programs_are_told_with_their_versions() -> None:
    programs = {
        "docker": ProgramFacts(path="/usr/bin/docker", version=(28, 1)),
        "helm": ProgramFacts(path="/usr/bin/helm", version=None),
    }

    seen = about(diagnose(replace(DEVELOPER, programs=programs), settings()), "programs on PATH").seen

    assert (
        seen == "docker 28.1, no kind, helm of an unknown version, no kubectl; make up gets what is missing or too old"
    )


@pytest.mark.parametrize("facts", [DEVELOPER, MAC, BARE_DEBIAN, DEBIAN])
@pytest.mark.parametrize("engine", ["auto", "existing", "own"])
@pytest.mark.parametrize("images", ["auto", "pull", "build"])
def test_whatever_is_not_fine_says_why_and_what_to_do(facts: MachineFacts, engine: str, images: str) -> None:
    for finding in diagnose(facts, settings(engine=engine, images=images)).findings:
        assert finding.seen
        assert bool(finding.why) is bool(finding.command) is (finding.status is not Status.OK)
