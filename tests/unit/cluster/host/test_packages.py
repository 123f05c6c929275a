import json
from pathlib import Path

import pytest

from doorbuster_cluster.errors import ClusterError
from doorbuster_cluster.host.distribution import Distribution
from doorbuster_cluster.host.packages import Purpose, find_program, install, installed_by_us, missing_packages
from tests.unit.cluster.conftest import FakeProgram

BOOKWORM = Distribution(id="debian", version=12)
TRIXIE = Distribution(id="debian", version=13)
SID = Distribution(id="debian", version=None)
ENGINE_PROGRAMS = {"dockerd", "docker", "iptables", "nft", "ip"}


@pytest.mark.parametrize(
    ("distribution", "present", "expected"),
    [
        pytest.param(BOOKWORM, ENGINE_PROGRAMS, (), id="everything is there"),
        pytest.param(
            BOOKWORM, set(), ("docker.io", "iproute2", "iptables", "nftables"), id="bookworm: client with the daemon"
        ),
        pytest.param(
            TRIXIE, set(), ("docker-cli", "docker.io", "iproute2", "iptables", "nftables"), id="trixie: client apart"
        ),
        pytest.param(SID, {"dockerd", "iptables", "nft", "ip"}, ("docker-cli",), id="sid: only the client is missing"),
        pytest.param(
            BOOKWORM, ENGINE_PROGRAMS - {"nft"}, ("nftables",), id="an engine from elsewhere needs no docker.io"
        ),
    ],
)
def test_an_engine_lacks_the_packages_whose_programs_are_missing(
    distribution: Distribution, present: set[str], expected: tuple[str, ...]
) -> None:
    assert missing_packages(Purpose.ENGINE, distribution, present.__contains__) == expected


def test_building_lacks_what_is_missing_by_program_or_by_file() -> None:
    present = {"mmdebstrap", "java"}

    assert missing_packages(Purpose.BUILD, BOOKWORM, present.__contains__) == ("debian-archive-keyring", "maven")


def test_checks_need_shellcheck() -> None:
    assert missing_packages(Purpose.CHECKS, BOOKWORM, lambda _: False) == ("shellcheck",)


def test_a_program_is_found_on_path_first(fake_program: FakeProgram) -> None:
    program = fake_program("mmdebstrap", "").with_suffix("")

    assert find_program("mmdebstrap") == str(program)


def test_programs_for_root_are_found_without_their_folder_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    assert find_program("ldconfig") in {"/usr/sbin/ldconfig", "/sbin/ldconfig"}


class Apt:
    """A Debian of shell scripts: apt-get installs by appending to the list that dpkg-query shows."""

    def __init__(self, folder: Path, fake_program: FakeProgram) -> None:
        self.record = folder / "cache" / "packages.json"
        self.policy = folder / "policy-rc.d"
        self.list = folder / "installed"
        self.list.write_text("ii  bash\nrc  removed-long-ago\n")
        self.fake_program = fake_program
        fake_program("dpkg-query", f"cat {self.list}")
        self.systemctl_calls = fake_program("systemctl", "")

    def answers(self, script: str) -> Path:
        return self.fake_program("apt-get", script)

    def installs(self, *packages: str) -> str:
        return "".join(f'echo "ii  {package}" >> {self.list}\n' for package in packages)


@pytest.fixture
def apt(tmp_path: Path, fake_program: FakeProgram) -> Apt:
    return Apt(tmp_path, fake_program)


INSTALL = "install --yes --no-install-recommends -o DPkg::Lock::Timeout=120"


def test_packages_are_installed_and_recorded_with_what_came_along(apt: Apt) -> None:
    calls = apt.answers(apt.installs("maven", "libmaven3-core-java"))

    install(["maven"], apt.record, apt.policy)

    assert calls.read_text().splitlines() == [f"{INSTALL} maven"]
    assert installed_by_us(apt.record) == ("libmaven3-core-java", "maven")


def test_no_packages_are_no_installation(apt: Apt) -> None:
    calls = apt.answers("")

    install([], apt.record, apt.policy)

    assert not calls.exists()
    assert installed_by_us(apt.record) == ()


def test_apts_lists_are_refreshed_once_when_the_first_attempt_fails(apt: Apt, tmp_path: Path) -> None:
    refreshed = tmp_path / "refreshed"
    calls = apt.answers(f'[ "$1" = update ] && touch {refreshed}; [ -e {refreshed} ]')

    install(["maven"], apt.record, apt.policy)

    assert calls.read_text().splitlines() == [f"{INSTALL} maven", "update", f"{INSTALL} maven"]


def test_a_failure_shows_what_apt_said_and_what_to_type(apt: Apt) -> None:
    apt.answers('[ "$1" = update ] || { echo "E: Unable to locate package nonsense" >&2; exit 100; }')

    with pytest.raises(ClusterError, match="Unable to locate package nonsense") as failure:
        install(["nonsense"], apt.record, apt.policy)

    assert failure.value.hint == "type: apt-get install nonsense"
    assert not apt.policy.exists()


def test_what_was_about_to_be_installed_is_known_after_a_kill(apt: Apt) -> None:
    apt.answers('[ "$1" = update ] || exit 100')

    with pytest.raises(ClusterError):
        install(["maven"], apt.record, apt.policy)

    assert installed_by_us(apt.record) == ("maven",)


def test_services_may_not_start_during_an_installation(apt: Apt, tmp_path: Path) -> None:
    apt.answers(f"{apt.policy} docker start; echo $? > {tmp_path}/answer")

    install(["docker.io"], apt.record, apt.policy)

    assert (tmp_path / "answer").read_text() == "101\n"
    assert not apt.policy.exists()


def test_apt_asks_no_questions(apt: Apt, tmp_path: Path) -> None:
    apt.answers(f'echo "$DEBIAN_FRONTEND" > {tmp_path}/frontend')

    install(["maven"], apt.record, apt.policy)

    assert (tmp_path / "frontend").read_text() == "noninteractive\n"


def test_an_engine_that_we_install_does_not_start_at_the_next_boot(apt: Apt) -> None:
    apt.answers(apt.installs("docker.io", "containerd"))

    install(["docker.io"], apt.record, apt.policy)

    assert apt.systemctl_calls.read_text() == "disable docker.service docker.socket containerd.service\n"


def test_units_of_packages_that_were_there_before_are_left_alone(apt: Apt) -> None:
    apt.answers(apt.installs("maven"))

    install(["maven"], apt.record, apt.policy)

    assert not apt.systemctl_calls.exists()


def test_the_record_keeps_what_earlier_runs_installed(apt: Apt) -> None:
    apt.record.parent.mkdir()
    apt.record.write_text(json.dumps(["docker.io"]))
    apt.answers(apt.installs("maven"))

    install(["maven"], apt.record, apt.policy)

    assert installed_by_us(apt.record) == ("docker.io", "maven")


def test_a_damaged_record_is_reported(apt: Apt) -> None:
    apt.record.parent.mkdir()
    apt.record.write_text("{")

    with pytest.raises(ClusterError, match="is damaged"):
        installed_by_us(apt.record)
