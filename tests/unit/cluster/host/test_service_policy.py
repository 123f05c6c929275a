import subprocess
from pathlib import Path

import pytest

from doorbuster_cluster.host.service_policy import SCRIPT, restore_policy, services_stay_stopped


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    return tmp_path / "policy-rc.d"


def test_services_may_not_start_while_packages_are_installed(policy: Path) -> None:
    with services_stay_stopped(policy):
        assert subprocess.run([policy, "docker", "start"], check=False).returncode == 101

    assert list(policy.parent.iterdir()) == []


def test_a_policy_of_the_machines_own_comes_back(policy: Path) -> None:
    policy.write_text("#!/bin/sh\nexit 104\n")
    policy.chmod(0o750)

    with services_stay_stopped(policy):
        assert policy.read_text() == SCRIPT

    assert policy.read_text() == "#!/bin/sh\nexit 104\n"
    assert policy.stat().st_mode & 0o777 == 0o750
    assert list(policy.parent.iterdir()) == [policy]


def test_a_policy_comes_back_after_an_error(policy: Path) -> None:
    policy.write_text("own")

    def fail() -> None:
        with services_stay_stopped(policy):
            raise RuntimeError("no network")

    with pytest.raises(RuntimeError, match="no network"):
        fail()

    assert policy.read_text() == "own"


@pytest.mark.parametrize("own", ["own", None], ids=["with a policy of its own", "without one"])
def test_what_a_killed_run_left_is_put_right_by_the_next(policy: Path, own: str | None) -> None:
    if own:
        policy.write_text(own)
    # A context that is entered and never left is what `kill -9` leaves behind.
    services_stay_stopped(policy).__enter__()

    with services_stay_stopped(policy):
        assert policy.read_text() == SCRIPT

    assert {path.name: path.read_text() for path in policy.parent.iterdir()} == ({policy.name: own} if own else {})


def test_without_anything_to_restore_nothing_happens(policy: Path) -> None:
    restore_policy(policy)

    assert list(policy.parent.iterdir()) == []
