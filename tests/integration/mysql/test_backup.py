"""Backup and restore as docs/operations.md has a person type them, typed by a shell at real members."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from doorbuster_cluster.settings import REPOSITORY
from tests.integration.mysql.deployment import CONTAINER, MySqlDeployment
from tests.integration.polling import seconds_until

pytestmark = pytest.mark.integration

DOCUMENT = REPOSITORY / "docs" / "operations.md"
SECTION = re.compile(r"^## Back up and restore MySQL\n(.*?)^## ", re.MULTILINE | re.DOTALL)
SHELL_BLOCK = re.compile(r"^```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)

# A pod is a container here: only the way to it is another. What isn't `exec` or has another form is refused.
KUBECTL = """
kubectl() {
  local streams=() pod
  [[ $1 == exec ]] || return 64
  shift
  if [[ $1 == -i ]]; then streams=(-i); shift; fi
  pod=$1
  [[ "$2 $3 $4" == '-c mysql --' ]] || return 64
  shift 4
  docker exec "${streams[@]}" "${PODS[${pod##*-}]}" "$@"
}
"""
START_SECONDS = 180
TYPED_SECONDS = 60
# A secondary applies what the primary has acknowledged.
APPLIED_SECONDS = 30
ROWS = frozenset(range(1, 201))
LATER_ROWS = frozenset(range(201, 301))
# What a dump has to quote, in bytes of every kind.
SOLD = "sold \\ out 'here' 매진 🎟"
BYTES = bytes(range(256))


def blocks() -> dict[str, str]:
    """The section's shell blocks by what they are for."""
    section = SECTION.search(DOCUMENT.read_text())
    assert section is not None
    names = ("members", "back up", "stop what writes", "restore", "start it again")
    return dict(zip(names, SHELL_BLOCK.findall(section.group(1)), strict=True))


def typed(deployment: MySqlDeployment, folder: Path, *lines: str) -> "subprocess.CompletedProcess[str]":
    """What a shell in the folder answers to these lines, after those that find the members."""
    pods = " ".join(pod.identity_of(CONTAINER) for pod in deployment.pods)
    script = "\n".join(("set -euo pipefail", f"PODS=({pods})", KUBECTL, blocks()["members"], *lines))
    return subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=TYPED_SECONDS,
        check=False,
    )


def backed_up(deployment: MySqlDeployment, folder: Path, *lines: str) -> Path:
    """The file that the document's backup leaves in the folder."""
    answer = typed(deployment, folder, *lines, blocks()["back up"])
    assert answer.returncode == 0, answer.stderr
    assert "-- Dump completed" in answer.stdout
    (backup,) = folder.glob("doorbuster-*.sql.gz")
    return backup


def restored(
    deployment: MySqlDeployment, folder: Path, backup: Path, *lines: str
) -> "subprocess.CompletedProcess[str]":
    """What the document's restore of that file answers."""
    return typed(deployment, folder, f"backup={backup.name}", *lines, blocks()["restore"])


def sell(deployment: MySqlDeployment, numbers: frozenset[int]) -> None:
    """Commit rows as the applications do, on the primary and with their account."""
    with deployment.session(deployment.primary_ordinal()) as cursor:
        cursor.execute(
            "CREATE TABLE IF NOT EXISTS doorbuster.sold"
            " (number INT PRIMARY KEY, words VARCHAR(80) NOT NULL, bytes VARBINARY(256) NOT NULL)"
        )
        cursor.executemany(
            "INSERT INTO doorbuster.sold VALUES (%s, %s, %s)", [(number, SOLD, BYTES) for number in sorted(numbers)]
        )


def sold_on(deployment: MySqlDeployment, ordinal: int) -> frozenset[int]:
    """The numbers of the rows that a client reads on one member, all of them whole."""
    with deployment.session(ordinal) as cursor:
        cursor.execute("SELECT number FROM doorbuster.sold WHERE words = %s AND bytes = %s", (SOLD, BYTES))
        whole = frozenset(number for (number,) in cursor.fetchall())
        cursor.execute("SELECT COUNT(*) FROM doorbuster.sold")
        assert cursor.fetchone() == (len(whole),)
    return whole


def tables_on(deployment: MySqlDeployment, ordinal: int) -> frozenset[str]:
    """The tables of the applications' database on one member, but for what the waits of these tests write."""
    with deployment.session(ordinal) as cursor:
        cursor.execute("SHOW TABLES IN doorbuster")
        return frozenset(name for (name,) in cursor.fetchall()) - {"heartbeat"}


def view_of(deployment: MySqlDeployment, ordinal: int) -> str:
    """The id of the group's view, which is another whenever a member comes or goes."""
    return deployment.administer(
        ordinal, "SELECT DISTINCT view_id FROM performance_schema.replication_group_member_stats"
    )


def until_everywhere(deployment: MySqlDeployment, numbers: frozenset[int]) -> None:
    """Wait until each member has exactly these rows."""
    seconds_until(
        lambda: all(sold_on(deployment, ordinal) == numbers for ordinal in range(len(deployment.pods))),
        within_seconds=APPLIED_SECONDS,
        what=f"{len(numbers)} rows on each member",
    )


@pytest.fixture
def shop(group: MySqlDeployment) -> MySqlDeployment:
    """The group with the rows that are to be in a backup, on each member."""
    group.until_healthy(START_SECONDS)
    with group.session(group.primary_ordinal()) as cursor:
        cursor.execute("DROP TABLE IF EXISTS doorbuster.sold, doorbuster.newer")
    sell(group, ROWS)
    until_everywhere(group, ROWS)
    return group


def test_a_restore_brings_back_exactly_what_the_backup_of_a_secondary_had(
    shop: MySqlDeployment, tmp_path: Path
) -> None:
    primary = shop.primary_ordinal()
    view = view_of(shop, primary)
    backup = backed_up(shop, tmp_path)
    sell(shop, LATER_ROWS)
    with shop.session(primary) as cursor:
        cursor.execute("CREATE TABLE doorbuster.newer (id INT PRIMARY KEY)")
        cursor.execute("DELETE FROM doorbuster.sold WHERE number = 7")

    answer = restored(shop, tmp_path, backup)

    assert answer.returncode == 0, answer.stderr
    assert shop.view(primary) == {
        ordinal: ("ONLINE", "PRIMARY" if ordinal == primary else "SECONDARY") for ordinal in range(3)
    }
    until_everywhere(shop, ROWS)
    assert [tables_on(shop, ordinal) for ordinal in range(3)] == [{"sold"}] * 3
    shop.until_healthy(APPLIED_SECONDS)
    assert view_of(shop, primary) == view != ""


def test_a_backup_is_read_on_a_secondary_and_writes_nothing(shop: MySqlDeployment, tmp_path: Path) -> None:
    answer = typed(shop, tmp_path, 'echo "$primary $secondary"')
    primary, secondary = (int(word.rpartition("-")[2]) for word in answer.stdout.split())
    before = shop.administer(secondary, "SELECT @@gtid_executed")

    backed_up(shop, tmp_path)

    assert primary == shop.primary_ordinal()
    assert shop.view(primary)[secondary] == ("ONLINE", "SECONDARY")
    assert shop.administer(secondary, "SELECT @@gtid_executed") == before


def test_a_secondary_refuses_the_restore_and_keeps_what_it_has(shop: MySqlDeployment, tmp_path: Path) -> None:
    backup = backed_up(shop, tmp_path)
    sell(shop, LATER_ROWS)

    answer = restored(shop, tmp_path, backup, 'primary="$secondary"')

    assert answer.returncode != 0
    assert "ERROR 1290 (HY000)" in answer.stderr
    assert "--super-read-only" in answer.stderr
    until_everywhere(shop, ROWS | LATER_ROWS)


def test_a_backup_becomes_another_group(shop: MySqlDeployment, single: MySqlDeployment, tmp_path: Path) -> None:
    backup = backed_up(shop, tmp_path)
    single.until_healthy(START_SECONDS)

    answer = restored(single, tmp_path, backup)

    assert answer.returncode == 0, answer.stderr
    assert sold_on(single, 0) == ROWS
    assert tables_on(single, 0) == {"sold"}


def test_the_only_member_of_a_small_release_is_backed_up_itself(single: MySqlDeployment, tmp_path: Path) -> None:
    single.until_healthy(START_SECONDS)
    sell(single, ROWS)

    backup = backed_up(single, tmp_path, 'secondary="$primary"')
    sell(single, LATER_ROWS)

    assert restored(single, tmp_path, backup).returncode == 0
    assert sold_on(single, 0) == ROWS
