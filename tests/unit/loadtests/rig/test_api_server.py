import ssl
from pathlib import Path
from typing import Any

import pytest
import yaml

from loadtests.rig.api_server import ApiServer, connection
from loadtests.rig.errors import QuestionFailed, WrongCluster


def test_our_cluster_on_this_machine_is_spoken_to(kubeconfig: dict[str, Any]) -> None:
    server, context = connection(kubeconfig, "sale")

    assert server.startswith("https://127.0.0.1:")
    assert context.verify_mode is ssl.CERT_REQUIRED


def test_another_cluster_is_refused(kubeconfig: dict[str, Any]) -> None:
    with pytest.raises(WrongCluster, match="not to kind-other"):
        connection(kubeconfig, "other")


def test_a_cluster_elsewhere_is_refused_whatever_its_name(kubeconfig: dict[str, Any]) -> None:
    elsewhere = {**kubeconfig["clusters"][0]["cluster"], "server": "https://shop.example:6443"}

    with pytest.raises(WrongCluster, match=r"shop\.example"):
        connection({**kubeconfig, "clusters": [{"cluster": elsewhere}]}, "sale")


@pytest.mark.parametrize("config", [None, {}, {"clusters": []}, {"clusters": [{"cluster": {"server": "x"}}]}])
def test_something_else_than_a_kubeconfig_is_refused(config: object) -> None:
    with pytest.raises(WrongCluster, match="isn't one that kind wrote"):
        connection(config, "sale")


def test_a_missing_kubeconfig_means_that_there_is_no_cluster(tmp_path: Path) -> None:
    with pytest.raises(WrongCluster, match="there is no cluster sale"):
        ApiServer(tmp_path / "kubeconfig", cluster="sale")


def test_a_server_that_is_silent_is_a_question_without_an_answer(tmp_path: Path, kubeconfig: dict[str, Any]) -> None:
    file = tmp_path / "kubeconfig"
    file.write_text(yaml.safe_dump(kubeconfig))

    with ApiServer(file, cluster="sale") as api, pytest.raises(QuestionFailed, match="no answer to /version"):
        api.get("/version")
