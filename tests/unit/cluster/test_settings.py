from pathlib import Path

import pytest

from doorbuster_cluster.errors import ClusterError
from doorbuster_cluster.settings import REPOSITORY, EngineChoice, ImagesChoice, Settings, Size, read_settings

HOME = {"HOME": "/home/someone"}


def test_without_a_variable_everything_has_its_default() -> None:
    assert read_settings(HOME) == Settings(
        cluster="doorbuster",
        port=8080,
        registry_port=5001,
        engine=EngineChoice.AUTO,
        images=ImagesChoice.AUTO,
        size=Size.HA,
        cache=Path("/home/someone/.cache/doorbuster"),
    )


def test_every_variable_is_read() -> None:
    environment = {
        "DOORBUSTER_CLUSTER": "load-2",
        "DOORBUSTER_PORT": "9090",
        "DOORBUSTER_REGISTRY_PORT": "5002",
        "DOORBUSTER_ENGINE": "own",
        "DOORBUSTER_IMAGES": "pull",
        "DOORBUSTER_SIZE": "small",
        "DOORBUSTER_CACHE": "/srv/cache",
    }

    assert read_settings(HOME | environment) == Settings(
        cluster="load-2",
        port=9090,
        registry_port=5002,
        engine=EngineChoice.OWN,
        images=ImagesChoice.PULL,
        size=Size.SMALL,
        cache=Path("/srv/cache"),
    )


def test_an_empty_variable_is_none_at_all() -> None:
    empty = dict.fromkeys(
        ("DOORBUSTER_CLUSTER", "DOORBUSTER_PORT", "DOORBUSTER_ENGINE", "DOORBUSTER_CACHE", "XDG_CACHE_HOME"), ""
    )

    assert read_settings(HOME | empty) == read_settings(HOME)


def test_the_cache_follows_the_users_own_cache_folder() -> None:
    assert read_settings(HOME | {"XDG_CACHE_HOME": "/big/cache"}).cache == Path("/big/cache/doorbuster")


def test_a_relative_cache_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert read_settings(HOME | {"DOORBUSTER_CACHE": "here"}).cache == tmp_path / "here"


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("DOORBUSTER_ENGINE", "podman", "DOORBUSTER_ENGINE is 'podman'; it can be: auto, existing, own"),
        ("DOORBUSTER_IMAGES", "PULL", "DOORBUSTER_IMAGES is 'PULL'; it can be: auto, pull, build"),
        ("DOORBUSTER_SIZE", "big", "DOORBUSTER_SIZE is 'big'; it can be: ha, small"),
        ("DOORBUSTER_PORT", "80", "DOORBUSTER_PORT is '80'; it has to be a port from 1024 to 65535"),
        ("DOORBUSTER_PORT", "65536", "DOORBUSTER_PORT is '65536'; it has to be a port from 1024 to 65535"),
        ("DOORBUSTER_PORT", "-1", "DOORBUSTER_PORT is '-1'; it has to be a port from 1024 to 65535"),
        ("DOORBUSTER_REGISTRY_PORT", "x", "DOORBUSTER_REGISTRY_PORT is 'x'; it has to be a port from 1024 to 65535"),
    ],
)
def test_a_value_that_is_not_allowed_is_refused(variable: str, value: str, sentence: str) -> None:
    with pytest.raises(ClusterError) as refusal:
        read_settings(HOME | {variable: value})

    assert str(refusal.value) == sentence


@pytest.mark.parametrize("name", ["Shop", "my_shop", "größe", "-", "a b", "a" * 31, "../other", "shop-", "-shop"])
def test_a_cluster_name_that_kubernetes_would_refuse_is_refused_here(name: str) -> None:
    with pytest.raises(ClusterError, match="DOORBUSTER_CLUSTER is"):
        read_settings(HOME | {"DOORBUSTER_CLUSTER": name})


def test_each_cluster_has_a_state_of_its_own() -> None:
    one, other = (read_settings(HOME | {"DOORBUSTER_CLUSTER": name}) for name in ("one", "other"))

    assert one.state == Path("/home/someone/.cache/doorbuster/clusters/one")
    assert one.kubeconfig == one.state / "kubeconfig"
    assert other.state != one.state


def test_the_repository_is_where_pyproject_lies() -> None:
    assert (REPOSITORY / "pyproject.toml").is_file()
