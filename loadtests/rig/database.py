"""What the database says of a run, asked on the MySQL group's primary through `kubectl exec`.

A few queries of our own. Those that are asked while orders are under way go over an index and touch few rows.
"""

from collections.abc import Callable, Mapping, Sequence

from doorbuster_cluster.errors import ClusterError
from doorbuster_cluster.runtime.releases import NAMESPACE
from doorbuster_cluster.runtime.toolbox import Toolbox
from loadtests.rig.errors import QuestionFailed

MEMBERS = ("data-mysql-0", "data-mysql-1", "data-mysql-2")
CLIENT = (
    "mysql", "--defaults-file=/run/mysql/root.cnf", "--socket=/run/mysql/mysqld.sock", "--batch", "--skip-column-names",
)  # fmt: skip
ASK_SECONDS = 60.0
PRIMARY = (
    "SELECT member_host FROM performance_schema.replication_group_members"
    " WHERE member_role = 'PRIMARY' AND member_state = 'ONLINE'"
)
WORK = """
    SELECT (SELECT COUNT(*) FROM outbox WHERE published_at IS NULL),
           (SELECT COUNT(*) FROM order_sagas WHERE open = 1),
           (SELECT COUNT(*) FROM deliveries WHERE status = 'DUE')
"""
SOLD = """
    SELECT line.product_id, SUM(line.quantity) AS units FROM orders
    JOIN JSON_TABLE(orders.`lines`, '$[*]' COLUMNS (
      product_id BIGINT PATH '$.product_id', quantity BIGINT PATH '$.quantity')) AS line
    WHERE orders.status = 'PAID' GROUP BY line.product_id
"""
OVERSOLD = f"""
    SELECT COALESCE(SUM(GREATEST(sold.units - stock.supplied, 0)), 0)
    FROM stock JOIN ({SOLD}) AS sold ON sold.product_id = stock.product_id
"""  # noqa: S608  # all of it is ours
# A record that took effect twice leaves less stock or fewer points than the paid orders account for.
MISBOOKED = f"""
    SELECT (SELECT COUNT(*) FROM stock LEFT JOIN ({SOLD}) AS sold ON sold.product_id = stock.product_id
            WHERE stock.supplied - stock.available <> COALESCE(sold.units, 0)),
           (SELECT COUNT(*) FROM orders LEFT JOIN (
              SELECT transaction_id, SUM(amount) AS amount FROM point_entries
              WHERE account LIKE 'user:%' GROUP BY transaction_id
            ) AS spent ON spent.transaction_id = orders.id
            WHERE COALESCE(-spent.amount, 0) <> IF(orders.status = 'PAID', orders.total - orders.discount, 0)),
           (SELECT COUNT(*) FROM point_balances AS balance LEFT JOIN (
              SELECT account, SUM(amount) AS total FROM point_entries GROUP BY account
            ) AS entries ON entries.account = CONCAT('user:', balance.user_id)
            WHERE balance.balance <> COALESCE(entries.total, 0))
"""  # noqa: S608  # all of it is ours
NEGATIVE_POINTS = """
    SELECT COUNT(*) FROM point_balances AS balance
    LEFT JOIN (SELECT account, SUM(amount) AS total FROM point_entries GROUP BY account) AS entries
      ON entries.account = CONCAT('user:', balance.user_id)
    WHERE LEAST(balance.balance, COALESCE(entries.total, 0)) < 0
"""
UNFINISHED = """
    SELECT COALESCE(SUM(status NOT IN ('PAID', 'FAILED')), 0),
           COALESCE(SUM(status = 'FAILED' AND compensated_at IS NULL), 0)
    FROM orders WHERE user_id BETWEEN {first} AND {last}
"""
Exec = Callable[[str, str], Sequence[str]]
"""Runs a statement on a member; returns its rows, each as a line. Raises ClusterError."""


class Database:
    """Counts that nobody but the database knows."""

    def __init__(self, execute: Exec) -> None:
        """Take what runs a statement; nobody is asked yet."""
        self._execute = execute
        self._primary: str | None = None

    def work(self) -> Mapping[str, int]:
        """Return how many messages, sagas and deliveries somebody works on: `outbox`, `sagas`, `deliveries`."""
        return dict(zip(("outbox", "sagas", "deliveries"), self._row(WORK), strict=True))

    def unfinished(self, first_user: int, last_user: int) -> tuple[int, int]:
        """Return how many orders of the buyers aren't final, and how many FAILED aren't compensated."""
        pending, uncompensated = self._row(UNFINISHED.format(first=first_user, last=last_user))
        return pending, uncompensated

    def oversold(self) -> int:
        """Return how many units were sold beyond what was supplied, over all products."""
        return self._row(OVERSOLD)[0]

    def negative_points(self) -> int:
        """Return how many users have less than nothing, by their balance or by its entries."""
        return self._row(NEGATIVE_POINTS)[0]

    def misbooked(self) -> int:
        """Return how many products, orders and balances don't fit what was paid; only at rest they all do."""
        return sum(self._row(MISBOOKED))

    def _row(self, query: str) -> tuple[int, ...]:
        try:
            rows = self._execute(self._member(), f"USE doorbuster; {query}")
            return tuple(int(value) for value in rows[0].split("\t"))
        except (ClusterError, IndexError, ValueError) as exc:
            # It may be the primary no longer.
            self._primary = None
            raise QuestionFailed(f"the database gives no answer: {exc}", hint="`make status` shows MySQL") from exc

    def _member(self) -> str:
        if self._primary is None:
            self._primary = self._ask_for_primary()
        return self._primary

    def _ask_for_primary(self) -> str:
        problem = "none has one"
        for member in MEMBERS:
            try:
                rows = self._execute(member, PRIMARY)
            except ClusterError as exc:
                problem = str(exc)
                continue
            if rows:
                return rows[0].split(".")[0]
        raise QuestionFailed(f"no member of the MySQL group knows a primary: {problem}")


def executor(tools: Toolbox) -> Exec:
    """Return what runs a statement on a member as root, over its own socket."""

    def execute(member: str, statement: str) -> Sequence[str]:
        place = ("exec", member, "--namespace", NAMESPACE, "--container", "mysql", "--")
        return tools.kubectl(*place, *CLIENT, f"--execute={statement}", timeout_seconds=ASK_SECONDS).splitlines()

    return execute
