from pathlib import Path

import pytest

from doorbuster_cluster.builds import promtool
from doorbuster_cluster.builds.promtool import PUBLISHED, provide_promtool
from doorbuster_cluster.errors import CommandFailed
from doorbuster_cluster.host.distribution import Distribution
from doorbuster_cluster.settings import REPOSITORY
from tests.unit.cluster.conftest import FakeProgram

BOOKWORM = Distribution(id="debian", version=12)
TRIXIE = Distribution(id="debian", version=13)
SID = Distribution(id="debian", version=None)
UBUNTU = Distribution(id="ubuntu", version=24)
# dpkg -x <package> <folder>
UNPACK = 'mkdir -p "$3/usr/bin" && echo program > "$3/usr/bin/promtool"'
FETCH = '[ "$1" = update ] || touch "$2_2.53_amd64.deb"'


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache on a machine without promtool."""
    monkeypatch.setattr(promtool, "find_program", lambda _name: None)
    folder = tmp_path / "cache"
    folder.mkdir()
    return folder


def test_a_persons_own_is_taken(tmp_path: Path, fake_program: FakeProgram) -> None:
    on_path = fake_program("promtool", "").with_name("promtool")

    assert provide_promtool(tmp_path, BOOKWORM) == on_path


@pytest.mark.parametrize(
    ("distribution", "package"), [(BOOKWORM, "prometheus"), (TRIXIE, "promtool"), (SID, "promtool")]
)
def test_debians_is_unpacked_and_nothing_is_installed(
    cache: Path, fake_program: FakeProgram, distribution: Distribution, package: str
) -> None:
    apt, dpkg = fake_program("apt-get", FETCH), fake_program("dpkg", UNPACK)

    path = provide_promtool(cache, distribution)

    assert path.read_text() == "program\n"
    assert apt.read_text() == f"download {package}\n"
    assert dpkg.read_text().startswith("-x ")
    # The package and whatever else was in it is gone.
    assert [entry.name for entry in cache.iterdir()] == ["programs"]


def test_what_is_kept_is_not_fetched_again(cache: Path, fake_program: FakeProgram) -> None:
    apt = fake_program("apt-get", FETCH)
    fake_program("dpkg", UNPACK)

    assert provide_promtool(cache, BOOKWORM) == provide_promtool(cache, BOOKWORM)
    assert apt.read_text().count("download") == 1


def test_apts_lists_are_refreshed_once(cache: Path, tmp_path: Path, fake_program: FakeProgram) -> None:
    refreshed = tmp_path / "refreshed"
    script = f'[ "$1" = update ] && touch {refreshed}; [ -e {refreshed} ] || exit 100; {FETCH}'
    apt = fake_program("apt-get", script)
    fake_program("dpkg", UNPACK)

    provide_promtool(cache, BOOKWORM)

    assert apt.read_text().splitlines() == ["download prometheus", "update", "download prometheus"]


def test_a_mirror_out_of_reach_is_told(cache: Path, fake_program: FakeProgram) -> None:
    fake_program("apt-get", 'echo "E: Could not connect" >&2; exit 100')

    with pytest.raises(CommandFailed, match="Could not connect"):
        provide_promtool(cache, BOOKWORM)

    assert not list(cache.glob("promtool-*"))


def test_elsewhere_it_is_the_released_one(cache: Path, fake_program: FakeProgram) -> None:
    apt = fake_program("apt-get", "")
    kept = PUBLISHED.path(cache)
    kept.parent.mkdir(parents=True)
    kept.touch()

    assert provide_promtool(cache, UBUNTU) == kept
    assert not apt.exists()


def test_the_released_one_is_of_the_charts_version() -> None:
    values = (REPOSITORY / "charts" / "observability" / "values.yaml").read_text()

    assert f"tag: v{PUBLISHED.version}\n" in values
