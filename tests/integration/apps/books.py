"""The applications' database as an auditor reads it."""

from dataclasses import dataclass

from sqlalchemy import text

from doorbuster.infra.mysql.migrations import connected
from doorbuster.settings import MySqlSettings
from tests.audit import UNDER_WAY
from tests.integration.polling import seconds_until

# A killed consumer's partitions go to the next one after its session's 20 s.
QUIET_SECONDS = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """Queries on the primary."""

    mysql: MySqlSettings

    def ask(self, query: str) -> list[str]:
        """Return the query's rows, each as a line."""
        with connected(self.mysql) as connection:
            return ["\t".join(map(str, row)) for row in connection.execute(text(query))]

    def number(self, query: str) -> int:
        """Return the one number that the query asks for."""
        return int(self.ask(query)[0])

    def forget(self, table: str, where: str = "TRUE") -> int:
        """Delete rows of a table behind everybody's back; return how many they were."""
        with connected(self.mysql) as connection:
            return connection.execute(text(f"DELETE FROM {table} WHERE {where}")).rowcount

    def until_quiet(self) -> None:
        """Return when nobody works on anything any more."""
        seconds_until(lambda: self.number(UNDER_WAY) == 0, within_seconds=QUIET_SECONDS, what="nothing is under way")
