from itertools import pairwise
from pathlib import Path

import pytest

from doorbuster_cluster.runtime.releases import Release
from loadtests.rig.cluster import supplies_in, wrong_releases
from loadtests.rig.errors import RigError, TopUpFailed
from loadtests.rig.releases import read_release, upgrade_command

ALL = {"data": "deployed", "observability": "deployed", "operator": "deployed", "apps": "deployed"}


def test_the_release_read_back_is_the_one_that_was_installed(tmp_path: Path) -> None:
    installed = Release(name="apps", values={"size": "ha", "topics": {"partitions": 12}, "image": {"tag": "0123"}})
    installed.write_values(tmp_path / "apps.yaml")

    assert read_release(tmp_path / "apps.yaml").digest() == installed.digest()


def test_a_cluster_that_make_up_did_not_make_has_no_release(tmp_path: Path) -> None:
    with pytest.raises(RigError, match="make up"):
        read_release(tmp_path / "apps.yaml")


def test_only_the_named_values_are_changed() -> None:
    words = [str(word) for word in upgrade_command({"faults.enabled": "true", "a.b": "30ms"})]

    assert words[:2] == ["upgrade", "apps"]
    assert "--reuse-values" in words
    assert [word for before, word in pairwise(words) if before == "--set"] == [
        "faults.enabled=true", "a.b=30ms",
    ]  # fmt: skip


def test_all_releases_deployed_is_nothing_wrong() -> None:
    assert wrong_releases(ALL) == []


def test_missing_and_unfinished_releases_are_named() -> None:
    found = {**ALL, "apps": "pending-upgrade"}
    del found["operator"]

    assert wrong_releases(found) == ["the release operator is missing", "the release apps is pending-upgrade"]


def test_what_the_top_up_made_is_read_from_its_line() -> None:
    line = '{"first_user":1001,"users":500,"first_product":3,"products":398,"hot_product":null,"hot_units":0}\n'

    assert (supplies_in(line).last_user, supplies_in(line).hot_product) == (1500, None)


@pytest.mark.parametrize("printed", ["", "Traceback", "{}", '{"first_user": 1}', "[]"])
def test_anything_else_is_a_top_up_that_failed(printed: str) -> None:
    with pytest.raises(TopUpFailed):
        supplies_in(printed)
