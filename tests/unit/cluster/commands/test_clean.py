from pathlib import Path

import pytest

from doorbuster_cluster.commands.clean import empty_cache
from doorbuster_cluster.errors import ClusterError, LockHeld
from doorbuster_cluster.host.lock import held
from doorbuster_cluster.progress import Progress
from doorbuster_cluster.settings import Settings
from tests.unit.cluster.conftest import FakeProgram


@pytest.fixture
def cache(shop: Settings) -> Path:
    """A cache with programs, read-only modules, a log and what outlives it."""
    module = shop.cache / "go" / "modules" / "example.org@v1"
    module.mkdir(parents=True)
    (module / "main.go").touch()
    (module / "main.go").chmod(0o444)
    module.chmod(0o555)
    (shop.cache / "clusters").mkdir()
    (shop.cache / "stray").touch()
    (shop.cache / "packages.json").write_text("[]")
    return shop.cache


def left(cache: Path) -> list[str]:
    return sorted(path.name for path in cache.iterdir())


def test_everything_goes_but_the_lock_and_the_list_of_packages(shop: Settings, progress: Progress, cache: Path) -> None:
    empty_cache(shop, progress)

    assert left(cache) == ["lock", "packages.json"]


def refused(shop: Settings, progress: Progress) -> str:
    with pytest.raises(ClusterError, match="still uses") as refusal:
        empty_cache(shop, progress)
    return refusal.value.hint


def test_a_cluster_that_has_state_still_uses_it(shop: Settings, progress: Progress, cache: Path) -> None:
    (cache / "clusters" / "kitchen").mkdir()

    assert refused(shop, progress) == "type `make down` first"
    assert {"clusters", "go", "stray"} <= set(left(cache))


def test_our_engine_that_answers_still_uses_it(
    shop: Settings, progress: Progress, cache: Path, fake_program: FakeProgram
) -> None:
    (cache / "engine").mkdir()
    (cache / "engine" / "docker.sock").touch()
    fake_program("docker", "exit 0")

    assert refused(shop, progress) == "type `make down` first"


def test_what_has_to_be_undone_on_the_machine_is_not_forgotten(shop: Settings, progress: Progress, cache: Path) -> None:
    (cache / "machine.json").write_text("{}")

    assert refused(shop, progress) == "type `make down` first"
    assert "machine.json" in left(cache)


def test_another_run_is_not_disturbed(shop: Settings, progress: Progress, cache: Path) -> None:
    with held(cache / "lock", "make up"), pytest.raises(LockHeld):
        empty_cache(shop, progress)

    assert "go" in left(cache)
