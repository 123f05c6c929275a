import os
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from doorbuster_cluster.builds.engine import Engine
from doorbuster_cluster.runtime.skaffold import WATCHED, Mode, arguments, environment, write_preferences
from doorbuster_cluster.runtime.toolbox import Toolbox
from doorbuster_cluster.settings import REPOSITORY, ImagesChoice, Settings
from tests.unit.cluster.host.machines import settings

PREFIX = "localhost:5001/doorbuster"


@pytest.fixture
def shop(tools: Toolbox) -> Settings:
    return tools.settings


def options(mode: Mode, chosen: Settings) -> dict[str, str]:
    """Return what follows each option; nothing where it has its value inside."""
    words = [str(word) for word in arguments(mode, chosen, prefix=PREFIX)]
    return {word: "" if follower.startswith("--") else follower for word, follower in pairwise([*words, "--"])}


@pytest.mark.parametrize("mode", Mode)
def test_the_cluster_is_named_by_its_own_kubeconfig(shop: Settings, mode: Mode) -> None:
    given = options(mode, shop)

    assert (given["--kubeconfig"], given["--kube-context"]) == (str(shop.kubeconfig), "kind-shop")


@pytest.mark.parametrize("mode", Mode)
def test_images_get_the_names_of_the_local_registry(shop: Settings, mode: Mode) -> None:
    assert options(mode, shop)["--default-repo"] == PREFIX


def test_a_run_handles_every_release(shop: Settings) -> None:
    assert str(arguments(Mode.RUN, shop, prefix=PREFIX)[0]) == "run"
    assert "--module" not in options(Mode.RUN, shop)


def test_the_loop_handles_operator_and_apps_and_leaves_them_when_it_ends(shop: Settings) -> None:
    given = options(Mode.DEV, shop)

    assert given["--module"] == WATCHED
    assert {"--cleanup=false", "--no-prune=true"} <= given.keys()


def test_a_persons_own_configuration_is_neither_read_nor_changed(shop: Settings, tools: Toolbox) -> None:
    shop.state.mkdir(parents=True)

    write_preferences(shop)

    given = yaml.safe_load(Path(options(Mode.RUN, shop)["--config"]).read_text())["global"]
    assert (given["collect-metrics"], given["update-check"], given["kind-disable-load"]) == (False, False, True)
    seen = environment(shop, tools, images=ImagesChoice.BUILD)
    assert Path(seen["HELM_DATA_HOME"]).parent == shop.state
    assert Path(seen["HELM_PLUGINS"]) == Path(seen["HELM_DATA_HOME"]) / "plugins"


def test_the_environment_names_engine_values_and_the_base_of_images(tmp_path: Path, tools: Toolbox) -> None:
    chosen = settings(cluster="shop", cache=str(tmp_path / "cache"))
    ours = Toolbox(settings=chosen, engine=Engine(address="unix:///sock", own=True), found=tools.found)

    given = environment(chosen, ours, images=ImagesChoice.PULL)

    assert given["DOCKER_HOST"] == "unix:///sock"
    assert given["DOORBUSTER_VALUES"] == str(chosen.state / "values")
    assert given["DOORBUSTER_IMAGES"] == "pull"


def test_helm_and_kubectl_are_those_of_make_up(shop: Settings, tools: Toolbox) -> None:
    folders = environment(shop, tools, images=ImagesChoice.BUILD)["PATH"].split(os.pathsep)

    assert folders[:2] == [str(tools.path("helm").parent), str(tools.path("kubectl").parent)]


def test_the_file_is_the_repositorys(shop: Settings) -> None:
    assert options(Mode.RUN, shop)["--filename"] == str(REPOSITORY / "skaffold.yaml")
