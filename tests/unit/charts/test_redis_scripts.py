"""Redis' entry scripts, as far as they run without a server."""

import hashlib
import re
import subprocess
from pathlib import Path

import pytest

from tests.integration.redis.deployment import pod_environment

DATA_CHART = Path(__file__).parents[3] / "charts" / "data"
SCRIPTS = DATA_CHART / "files" / "redis"
TEMPLATE = DATA_CHART / "templates" / "redis" / "_redis.tpl"
SECRET = 'with "quotes" and \\'


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """What the containers of ordinal 1 get, with a password that has to be quoted."""
    password_file = tmp_path / "password"
    password_file.write_text(SECRET)
    return {
        **pod_environment("data-redis-1", "data-redis-0 data-redis-1 data-redis-2", count=3),
        "REDIS_PASSWORD_FILE": str(password_file),
        "PATH": "/usr/bin:/bin",
    }


def in_bash(commands: str, *, environment: dict[str, str] | None = None, stdin: str = "") -> str:
    answer = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        input=stdin, capture_output=True, text=True, check=True, timeout=30, cwd=SCRIPTS, env=environment,
    )  # fmt: skip
    return answer.stdout


def with_members(command: str) -> str:
    """The command after the members' addresses were looked up."""
    return f"""
        source members.sh; source progress.sh; source configure.sh
        SENTINEL_FILE=/run/redis/sentinel.conf
        ADDRESSES=(10.0.0.1 10.0.0.2 10.0.0.3); OWN_ADDRESS=10.0.0.2
        {command}
    """


def test_the_chart_sets_what_the_scripts_read_and_the_integration_tests_set_the_same() -> None:
    text = "".join(path.read_text() for path in SCRIPTS.glob("*.sh"))
    read = set(re.findall(r"\b((?:POD|REDIS)_[A-Z_]+)\b", text)) - {"REDIS_PORT"}
    rendered = set(re.findall(r"- name: ([A-Z_]+)$", TEMPLATE.read_text(), flags=re.MULTILINE))

    assert read == rendered
    assert set(pod_environment("redis-0", "redis-0", count=1)) == rendered


def test_sentinel_ids_differ_by_pod_and_stay(environment: dict[str, str]) -> None:
    ids = in_bash(with_members("for n in 0 1 2; do sentinel_id $n; done"), environment=environment).split()

    expected = [hashlib.sha1(f"doorbuster/data-redis-{n}".encode()).hexdigest() for n in range(3)]  # noqa: S324
    assert ids == expected


def test_a_sentinel_knows_its_peers_from_the_start(environment: dict[str, str]) -> None:
    lines = in_bash(with_members("sentinel_configuration 10.0.0.1"), environment=environment).splitlines()

    ids = [hashlib.sha1(f"doorbuster/data-redis-{n}".encode()).hexdigest() for n in range(3)]  # noqa: S324
    assert "sentinel monitor doorbuster 10.0.0.1 6379 2" in lines
    assert f"sentinel myid {ids[1]}" in lines
    assert [line for line in lines if "known" in line] == [
        f"sentinel known-sentinel doorbuster 10.0.0.1 26379 {ids[0]}",
        "sentinel known-replica doorbuster 10.0.0.2 6379",
        "sentinel known-replica doorbuster 10.0.0.3 6379",
        f"sentinel known-sentinel doorbuster 10.0.0.3 26379 {ids[2]}",
    ]


def test_a_password_is_quoted_for_the_configuration(environment: dict[str, str]) -> None:
    lines = in_bash(with_members("redis_configuration"), environment=environment).splitlines()

    assert r'requirepass "with \"quotes\" and \\"' in lines
    assert r'masterauth "with \"quotes\" and \\"' in lines


def test_a_primary_follows_nobody_and_a_replica_its_primary(environment: dict[str, str]) -> None:
    primary = in_bash(with_members("redis_configuration"), environment=environment)
    replica = in_bash(with_members("redis_configuration 10.0.0.3"), environment=environment)

    assert "replicaof" not in primary
    assert replica.splitlines()[-1] == "replicaof 10.0.0.3 6379"


def test_an_isolated_primary_refuses_writes_and_nothing_is_evicted(environment: dict[str, str]) -> None:
    lines = in_bash(with_members("redis_configuration"), environment=environment).splitlines()

    assert {"min-replicas-to-write 1", "min-replicas-max-lag 10", "maxmemory-policy noeviction"} <= set(lines)
    assert {"appendonly yes", "appendfsync everysec", "maxmemory 128mb"} <= set(lines)
    assert "replica-announce-ip 10.0.0.2" in lines


def report(*lines: str, offset: int) -> str:
    """One answer to INFO, as redis-cli prints it."""
    return "\r\n".join(("# Persistence", *lines, f"master_repl_offset:{offset}", "")) + "\n"


REPORTS = {
    "a primary with a replica": (
        ("aof_rewrite_in_progress:0", "role:master", "min_slaves_good_slaves:1"),
        "noted 7\n",
    ),
    "a primary that needs no replica": (
        ("aof_rewrite_in_progress:0", "role:master"),
        "noted 7\n",
    ),
    "a primary that was cut off": (
        ("aof_rewrite_in_progress:0", "role:master", "min_slaves_good_slaves:0"),
        "",
    ),
    "a replica that follows": (
        ("aof_rewrite_in_progress:0", "role:slave", "master_link_status:up"),
        "noted 7\n",
    ),
    "a replica without its primary": (
        ("aof_rewrite_in_progress:0", "role:slave", "master_link_status:down"),
        "",
    ),
    "a replica whose copy isn't on the volume yet": (
        ("aof_rewrite_in_progress:1", "role:slave", "master_link_status:up"),
        "",
    ),
}


@pytest.mark.parametrize(("lines", "expected"), REPORTS.values(), ids=REPORTS.keys())
def test_progress_is_noted_only_in_service(lines: tuple[str, ...], expected: str) -> None:
    noted = in_bash(
        'source progress.sh; write_progress() { echo "noted $1"; }; note_each_report', stdin=report(*lines, offset=7)
    )

    assert noted == expected


def test_a_report_says_nothing_about_the_next() -> None:
    two = report("aof_rewrite_in_progress:0", "role:slave", "master_link_status:up", offset=7) + report(
        "aof_rewrite_in_progress:0", "role:slave", offset=8
    )

    noted = in_bash('source progress.sh; write_progress() { echo "noted $1"; }; note_each_report', stdin=two)

    assert noted == "noted 7\n"
