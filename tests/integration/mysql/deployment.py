"""The chart's MySQL group as containers, started by the chart's own scripts."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pymysql
from pymysql.cursors import Cursor

from tests.integration.pods import ContainerPlan, Pod, PodNetwork
from tests.integration.polling import seconds_until

SCRIPTS = Path(__file__).parents[3] / "charts" / "data" / "files" / "mysql"
DATABASE = "doorbuster"
GROUP_NAME = "5d2c9a31-7f0e-4b57-9d3e-1c86a04be2f7"
PASSWORDS = {account: f"{account}-s3cret/+=@%^._~" for account in ("root", "replication", "probe", "app")}
ANSWER_SECONDS = 3
USER = "999:999"
CONTAINER = "mysql"

AS_ROOT = (
    "mysql", "--defaults-file=/run/mysql/root.cnf", "--socket=/run/mysql/mysqld.sock", "--batch", "--raw",
    "--skip-column-names",
)  # fmt: skip
ROWS_OF_GROUP = "SELECT MEMBER_HOST, MEMBER_STATE, MEMBER_ROLE FROM performance_schema.replication_group_members"


@dataclass(frozen=True, slots=True, kw_only=True)
class MySqlDeployment:
    """All pods of one StatefulSet."""

    pods: Sequence[Pod]

    @contextmanager
    def session(self, ordinal: int, account: str = "app") -> Iterator[Cursor]:
        """A session on one member that commits each statement; the host reaches it as a client pod does."""
        connection = pymysql.connect(
            host=self.pods[ordinal].address,
            user=account,
            password=PASSWORDS[account],
            connect_timeout=ANSWER_SECONDS,
            read_timeout=ANSWER_SECONDS,
            write_timeout=ANSWER_SECONDS,
            autocommit=True,
        )
        with connection, connection.cursor() as cursor:
            yield cursor

    def administer(self, ordinal: int, statement: str) -> str:
        """The answer to root, who exists only inside the pod."""
        return self.pods[ordinal].execute(CONTAINER, *AS_ROOT, "-e", statement).strip()

    def administer_in_background(self, ordinal: int, statement: str) -> None:
        """Have root work in a session that goes on after this call, at most as long as the container."""
        self.pods[ordinal].execute(CONTAINER, "bash", "-c", '"$@" >/dev/null 2>&1 &', "bash", *AS_ROOT, "-e", statement)

    def view(self, ordinal: int, account: str = "probe") -> dict[int, tuple[str, str]]:
        """State and role of each member as one of them sees it, by ordinal."""
        with self.session(ordinal, account) as cursor:
            cursor.execute(ROWS_OF_GROUP)
            return {
                int(host.rpartition("-")[2]): (state, role) for host, state, role in cursor.fetchall() if host != ""
            }

    def primary_ordinal(self) -> int:
        """The member that is the primary in the eyes of a member that serves.

        Raises:
            LookupError: no member that answers knows one.
        """
        for ordinal in range(len(self.pods)):
            try:
                members = self.view(ordinal)
            except pymysql.MySQLError:
                continue
            for number, state_and_role in members.items():
                if state_and_role == ("ONLINE", "PRIMARY"):
                    return number
        raise LookupError("nobody knows a primary")

    def until_healthy(self, within_seconds: float) -> float:
        """Seconds until each member lets clients in and sees all as ONLINE, and the primary lets them write."""
        return seconds_until(self._healthy, within_seconds=within_seconds, what="all ONLINE with one primary")

    def until_serving(self, within_seconds: float, *, other_than: int | None = None) -> float:
        """Seconds until a primary, other than one ordinal, lets a client write."""
        return seconds_until(
            lambda: self.primary_ordinal() != other_than and self._lets_write(),
            within_seconds=within_seconds,
            what="a primary that lets write",
        )

    def until_applied(self, ordinal: int, within_seconds: float) -> float:
        """Seconds until a member has applied what the primary has now; one that is ONLINE may still have a queue."""
        with self.session(self.primary_ordinal()) as cursor:
            cursor.execute("SELECT @@GLOBAL.gtid_executed")
            wanted = cursor.fetchall()

        def applied() -> bool:
            with self.session(ordinal) as cursor:
                cursor.execute("SELECT GTID_SUBSET(%s, @@GLOBAL.gtid_executed)", wanted[0])
                return cursor.fetchall() == ((1,),)

        what = f"{self.pods[ordinal].name} has applied what the primary has"
        return seconds_until(applied, within_seconds=within_seconds, what=what)

    def until_closed(self, ordinal: int, within_seconds: float) -> float:
        """Seconds until a member lets no client in and nobody write."""
        return seconds_until(
            lambda: self.administer(ordinal, "SELECT @@offline_mode, @@super_read_only") == "1\t1",
            within_seconds=within_seconds,
            what=f"{self.pods[ordinal].name} is closed",
        )

    def until_said(self, ordinal: int, words: str, within_seconds: float, *, after: int = 0) -> float:
        """Seconds until a member has written these words to its log, behind the first characters of it."""
        return seconds_until(
            lambda: words in self.pods[ordinal].logs(CONTAINER)[after:],
            within_seconds=within_seconds,
            what=f"{self.pods[ordinal].name} says {words!r}",
        )

    def said_so_far(self, ordinal: int) -> int:
        """The length of a member's log, for `until_said`."""
        return len(self.pods[ordinal].logs(CONTAINER))

    def logs(self) -> str:
        """The output of all containers."""
        return "\n".join(f"== {pod.name}\n{pod.logs(CONTAINER)}" for pod in self.pods)

    def _healthy(self) -> bool:
        expected = sorted(["PRIMARY"] + ["SECONDARY"] * (len(self.pods) - 1))
        for ordinal in range(len(self.pods)):
            members = self.view(ordinal, "app")
            if sorted(role for _, role in members.values()) != expected:
                return False
            if {state for state, _ in members.values()} != {"ONLINE"}:
                return False
        return self._lets_write()

    def _lets_write(self) -> bool:
        with self.session(self.primary_ordinal()) as cursor:
            cursor.execute("CREATE TABLE IF NOT EXISTS doorbuster.heartbeat (id INT PRIMARY KEY, beats INT NOT NULL)")
            return bool(
                cursor.execute(
                    "INSERT INTO doorbuster.heartbeat VALUES (1, 1) ON DUPLICATE KEY UPDATE beats = beats + 1"
                )
            )


def mysql_pods(*, network: PodNetwork, image: str, secrets: Path, count: int) -> list[Pod]:
    """The pods as the StatefulSet makes them; none is created yet."""
    members = " ".join(f"mysql-{ordinal}" for ordinal in range(count))
    return [
        Pod(
            name=f"mysql-{ordinal}",
            address=network.address(ordinal),
            network=network,
            image=image,
            user=USER,
            plans={
                CONTAINER: ContainerPlan(
                    command=["bash", "/scripts/start.sh"],
                    environment=pod_environment(f"mysql-{ordinal}", members),
                    mounts={SCRIPTS: "/scripts", secrets: "/secrets/mysql"},
                    writable=["/run/mysql", "/tmp"],
                )
            },
        )
        for ordinal in range(count)
    ]


def pod_environment(name: str, members: str) -> dict[str, str]:
    """The container's environment; the rendering tests compare its names with the chart's."""
    return {
        "POD_NAME": name,
        "MYSQL_MEMBERS": members,
        "MYSQL_DATABASE": DATABASE,
        "MYSQL_GROUP_NAME": GROUP_NAME,
        "MYSQL_POD_NETWORKS": "10.0.0.0/8,100.64.0.0/10,172.16.0.0/12,192.168.0.0/16,fd00::/8",
        "MYSQL_BUFFER_POOL_MEBIBYTES": "128",
        "MYSQL_MAX_CONNECTIONS": "100",
        "MYSQL_BINLOG_SECONDS": "86400",
        "MYSQL_MAX_EXECUTION_MILLISECONDS": "5000",
    }
