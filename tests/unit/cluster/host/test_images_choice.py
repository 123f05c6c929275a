from dataclasses import replace

import pytest

from doorbuster_cluster.host.facts import MachineFacts
from doorbuster_cluster.host.findings import Finding, Status
from doorbuster_cluster.host.images_choice import choose_images, needed_packages
from doorbuster_cluster.host.programs import ProgramFacts
from doorbuster_cluster.settings import ImagesChoice
from tests.unit.cluster.host.machines import BARE_DEBIAN, DEBIAN, DEVELOPER, MAC, settings

REACHABLE, UNREACHABLE, UNKNOWN = (replace(DEBIAN, registry_reachable=answer) for answer in (True, False, None))


def worst(findings: tuple[Finding, ...]) -> Status:
    order = list(Status)
    return max((finding.status for finding in findings), key=order.index)


@pytest.mark.parametrize(
    ("facts", "wish", "expected", "status"),
    [
        pytest.param(REACHABLE, "auto", ImagesChoice.PULL, Status.OK, id="in reach"),
        pytest.param(UNREACHABLE, "auto", ImagesChoice.BUILD, Status.OK, id="out of reach"),
        pytest.param(UNKNOWN, "auto", ImagesChoice.AUTO, Status.WARNING, id="not known yet"),
        pytest.param(REACHABLE, "pull", ImagesChoice.PULL, Status.OK, id="pull, in reach"),
        pytest.param(UNKNOWN, "pull", ImagesChoice.PULL, Status.OK, id="pull, not known yet"),
        pytest.param(UNREACHABLE, "pull", ImagesChoice.PULL, Status.PROBLEM, id="pull, out of reach"),
        pytest.param(REACHABLE, "build", ImagesChoice.BUILD, Status.OK, id="build though in reach"),
        pytest.param(UNKNOWN, "build", ImagesChoice.BUILD, Status.OK, id="build, not known yet"),
    ],
)
def test_where_images_come_from(facts: MachineFacts, wish: str, expected: ImagesChoice, status: Status) -> None:
    choice, findings = choose_images(facts, settings(images=wish))

    assert choice is expected
    assert worst(findings) is status


@pytest.mark.parametrize(
    ("facts", "seen"),
    [
        pytest.param(replace(MAC, registry_reachable=False), "not root on Darwin", id="Mac"),
        pytest.param(replace(DEVELOPER, registry_reachable=False), "not root on ubuntu", id="Ubuntu"),
        pytest.param(replace(UNREACHABLE, is_root=False), "not root on debian", id="Debian, not root"),
    ],
)
def test_building_needs_root_on_debian(facts: MachineFacts, seen: str) -> None:
    choice, findings = choose_images(facts, settings())

    assert choice is ImagesChoice.BUILD
    assert findings[-1].status is Status.PROBLEM
    assert findings[-1].seen == seen


@pytest.mark.parametrize(
    ("version", "status", "seen"),
    [
        pytest.param((1, 26), Status.OK, "/go is 1.26", id="the oldest"),
        pytest.param((1, 27, 1), Status.OK, "/go is 1.27.1", id="newer"),
        pytest.param((2, 0), Status.OK, "/go is 2.0", id="much newer"),
        pytest.param((1, 25, 9), Status.PROBLEM, "/go is 1.25.9", id="too old"),
        pytest.param((1, 3), Status.PROBLEM, "/go is 1.3", id="numbers, not decimals"),
        pytest.param(None, Status.PROBLEM, "/go is of an unknown version", id="of unknown version"),
    ],
)
def test_building_needs_a_new_enough_go(version: tuple[int, ...] | None, status: Status, seen: str) -> None:
    facts = replace(UNREACHABLE, programs={"go": ProgramFacts(path="/go", version=version)})

    _, findings = choose_images(facts, settings())

    assert (findings[-1].subject, findings[-1].status, findings[-1].seen) == ("Go", status, seen)


def test_building_without_go_is_a_problem_with_what_to_do() -> None:
    _, findings = choose_images(replace(UNREACHABLE, programs={}), settings())

    assert findings[-1].status is Status.PROBLEM
    assert findings[-1].seen == "not on PATH"
    assert findings[-1].command == "install Go 1.26 or newer and put its bin folder on PATH"


@pytest.mark.parametrize(
    ("architecture", "status"),
    [("amd64", Status.OK), ("arm64", Status.OK), ("riscv64", Status.PROBLEM)],
)
def test_building_is_for_two_architectures(architecture: str, status: Status) -> None:
    _, findings = choose_images(replace(UNREACHABLE, architecture=architecture), settings())

    assert {finding.subject: finding.status for finding in findings}["architecture"] is status


@pytest.mark.parametrize(
    ("images", "starts_engine", "expected"),
    [
        pytest.param(ImagesChoice.PULL, False, (), id="pulled, into an engine that runs"),
        pytest.param(ImagesChoice.PULL, True, ("docker.io", "nftables"), id="pulled, into our own engine"),
        pytest.param(ImagesChoice.AUTO, True, ("docker.io", "nftables"), id="not known yet: the client first"),
        pytest.param(ImagesChoice.BUILD, False, ("maven", "mmdebstrap"), id="built, for an engine that runs"),
        pytest.param(
            ImagesChoice.BUILD, True, ("docker.io", "maven", "mmdebstrap", "nftables"), id="built, for our own engine"
        ),
    ],
)
def test_packages_follow_from_both_choices(
    images: ImagesChoice, expected: tuple[str, ...], *, starts_engine: bool
) -> None:
    assert needed_packages(BARE_DEBIAN, images, starts_engine=starts_engine) == expected
