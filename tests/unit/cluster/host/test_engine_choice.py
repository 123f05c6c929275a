from dataclasses import replace

import pytest

from doorbuster_cluster.host.distribution import Distribution
from doorbuster_cluster.host.engine_choice import NEVER_TWO, choose_engine
from doorbuster_cluster.host.facts import MachineFacts
from doorbuster_cluster.host.findings import Status
from doorbuster_cluster.settings import EngineChoice
from tests.unit.cluster.host.machines import (
    BARE_DEBIAN,
    DEBIAN,
    DEVELOPER,
    ENGINE,
    MAC,
    NO_ENGINE,
    OWN_ENGINE,
    settings,
)

OWN_RUNS = replace(DEBIAN, own_engine=OWN_ENGINE)
BOTH_RUN = replace(OWN_RUNS, existing_engine=ENGINE, foreign_daemons=(4242,))
REFUSES_PRIVILEGED = replace(DEVELOPER, existing_privileged=False)
UNKNOWN_PRIVILEGED = replace(DEVELOPER, existing_privileged=None)
UNREACHABLE = replace(DEBIAN, foreign_daemons=(4242,))
NO_ENGINE_MAC = replace(MAC, existing_engine=None, existing_refusal=NO_ENGINE)
NO_ENGINE_UBUNTU = replace(DEVELOPER, existing_engine=None, existing_refusal=NO_ENGINE, foreign_daemons=())
NOT_ROOT_DEBIAN = replace(DEBIAN, is_root=False)
FORBIDDEN = replace(
    DEVELOPER, existing_engine=None, existing_refusal="permission denied while trying to connect", foreign_daemons=()
)


@pytest.mark.parametrize(
    ("facts", "wish", "expected", "seen"),
    [
        pytest.param(DEVELOPER, "auto", EngineChoice.EXISTING, "Docker 28.1.0 answers and will be used", id="existing"),
        pytest.param(MAC, "auto", EngineChoice.EXISTING, "Docker 28.1.0 answers and will be used", id="Mac"),
        pytest.param(DEVELOPER, "existing", EngineChoice.EXISTING, "will be used", id="existing, as wished"),
        pytest.param(UNKNOWN_PRIVILEGED, "auto", EngineChoice.EXISTING, "will be used", id="unknown isn't refused"),
        pytest.param(DEBIAN, "auto", EngineChoice.OWN, "no engine answers; make up starts its own", id="own"),
        pytest.param(DEBIAN, "own", EngineChoice.OWN, "make up starts its own", id="own, as wished"),
        pytest.param(
            BARE_DEBIAN, "auto", EngineChoice.OWN, "its own after installing docker.io, nftables", id="own, packages"
        ),
        pytest.param(OWN_RUNS, "auto", EngineChoice.OWN, "our own engine runs (Docker 20.10.24)", id="own runs"),
        pytest.param(OWN_RUNS, "own", EngineChoice.OWN, "our own engine runs", id="own runs, as wished"),
        pytest.param(
            replace(OWN_RUNS, is_root=False), "auto", EngineChoice.OWN, "our own engine runs", id="own runs, not root"
        ),
    ],
)
def test_the_engine_is_chosen(facts: MachineFacts, wish: str, expected: EngineChoice, seen: str) -> None:
    choice, finding = choose_engine(facts, settings(engine=wish))

    assert choice is expected
    assert finding.status is Status.OK
    assert seen in finding.seen


@pytest.mark.parametrize(
    ("facts", "wish", "why", "command"),
    [
        pytest.param(
            REFUSES_PRIVILEGED,
            "auto",
            "a Kubernetes node runs as a privileged container",
            "not rootless",
            id="no privileged containers",
        ),
        pytest.param(
            replace(REFUSES_PRIVILEGED, distribution=DEBIAN.distribution, is_root=True),
            "auto",
            "a Kubernetes node runs as a privileged container",
            "stop that engine: make up then starts its own",
            id="no privileged containers where our engine could",
        ),
        pytest.param(
            DEBIAN, "existing", "DOORBUSTER_ENGINE=existing never starts one", "start it", id="existing, but none"
        ),
        pytest.param(
            OWN_RUNS, "existing", "DOORBUSTER_ENGINE=existing never starts one", "start it", id="existing, but ours"
        ),
        pytest.param(DEVELOPER, "own", NEVER_TWO, "unset DOORBUSTER_ENGINE", id="own beside one that answers"),
        pytest.param(UNREACHABLE, "auto", NEVER_TWO, "set DOCKER_HOST", id="one that runs and can't be reached"),
        pytest.param(UNREACHABLE, "own", NEVER_TWO, "set DOCKER_HOST", id="own beside one that can't be reached"),
        pytest.param(NO_ENGINE_MAC, "auto", "only on Debian", "start Docker Desktop", id="none on a Mac"),
        pytest.param(NO_ENGINE_UBUNTU, "auto", "only on Debian", "distribution's package manager", id="none on Ubuntu"),
        pytest.param(NOT_ROOT_DEBIAN, "auto", "needs root", "sudo apt-get install docker.io", id="Debian, not root"),
        pytest.param(FORBIDDEN, "auto", "only on Debian", "usermod -aG docker", id="not in the engine's group"),
    ],
)
def test_where_no_engine_can_be_had_it_is_a_problem(facts: MachineFacts, wish: str, why: str, command: str) -> None:
    choice, finding = choose_engine(facts, settings(engine=wish))

    assert choice is None
    assert finding.status is Status.PROBLEM
    assert why in finding.why
    assert command in finding.command


def test_two_engines_at_once_are_a_warning() -> None:
    choice, finding = choose_engine(BOTH_RUN, settings())

    assert choice is EngineChoice.OWN
    assert finding.status is Status.WARNING
    assert finding.why == NEVER_TWO


def test_an_unreachable_engine_is_named_by_its_process() -> None:
    _, finding = choose_engine(UNREACHABLE, settings())

    assert finding.seen == f"an engine runs (process 4242) and can't be reached: {NO_ENGINE}"


@pytest.mark.parametrize("distribution", [Distribution(id="ubuntu", version=24), Distribution(id=None, version=None)])
def test_an_engine_is_started_on_debian_only(distribution: Distribution) -> None:
    choice, _ = choose_engine(replace(DEBIAN, distribution=distribution), settings(engine="own"))

    assert choice is None
