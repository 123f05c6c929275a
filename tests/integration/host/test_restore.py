import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict

import pytest

from doorbuster_cluster.process import run
from doorbuster_cluster.settings import REPOSITORY

pytestmark = pytest.mark.integration


class Report(TypedDict):
    """What engine_in_namespace.py prints."""

    traces: list[str]
    refusal: str
    rules: str
    tables: list[str]


@pytest.fixture
def engine_folder() -> Iterator[Path]:
    # Not pytest's own folder: an engine's sockets need a short path.
    with tempfile.TemporaryDirectory(prefix="engine-") as name:
        yield Path(name) / "e"


def kill_an_engine_and_restore(engine_folder: Path, kind_of_machine: str) -> Report:
    output = run(
        [
            "unshare", "--net", "--mount",
            sys.executable, "-m", "tests.integration.host.engine_in_namespace", engine_folder, kind_of_machine,
        ],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY / "cluster" / "src")},
    )  # fmt: skip
    report: Report = json.loads(output)
    return report


def test_a_persons_firewall_survives_a_killed_engine(engine_folder: Path) -> None:
    report = kill_an_engine_and_restore(engine_folder, "used")

    assert [line for line in report["rules"].splitlines() if line.startswith("-A")] == [
        '-A FORWARD -m comment --comment "two words" -j persons-chain',
        "-A persons-chain -s 203.0.113.7/32 -j DROP",
        "-A POSTROUTING -s 198.51.100.0/24 -j MASQUERADE",
    ]
    assert ":FORWARD ACCEPT [0:0]" in report["rules"].splitlines()
    assert report["tables"] == ["table ip filter", "table ip nat", "table inet persons-table"]


def test_a_killed_engine_leaves_nothing_on_an_unused_machine(engine_folder: Path) -> None:
    report = kill_an_engine_and_restore(engine_folder, "unused")

    assert report["tables"] == []


def test_the_traces_of_an_engine_are_seen(engine_folder: Path) -> None:
    traces = kill_an_engine_and_restore(engine_folder, "unused")["traces"]

    assert "sysctl net.ipv4.ip_forward: was 0, is 1" in traces
    assert "firewall chain iptables-nft filter FORWARD: its policy was unused, is DROP" in traces
    assert "network interface docker0: is new" in traces
    assert "route dst=172.30.0.0/24" in " ".join(traces)
    assert "file /run/docker: is new" in traces
    assert "firewall chain iptables-legacy filter FORWARD: rule is new: -A FORWARD -j DOCKER-USER" in traces
    assert "firewall chain ip6tables-nft nat KUBE-SERVICES: its policy was unused, is -" in traces
    assert any(trace.startswith("control group ") and "kubepods.slice: is new" in trace for trace in traces)


def test_nothing_is_restored_beside_an_engine_that_is_not_ours(engine_folder: Path) -> None:
    refusal = kill_an_engine_and_restore(engine_folder, "unused")["refusal"]

    assert re.fullmatch(
        r"another container engine runs \(process \d+\): its firewall rules can't be told from ours", refusal
    )
