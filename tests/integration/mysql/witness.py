"""A client that writes without a pause and remembers what was acknowledged to it, as rule R18 has clients behave."""

import threading
from types import TracebackType
from typing import Self

import pymysql

from tests.integration.mysql.deployment import MySqlDeployment
from tests.integration.polling import seconds_until

TABLE = "doorbuster.witness"
JOIN_SECONDS = 30
APPLY_SECONDS = 60


class Witness:
    """Inserts numbered rows into the primary from a few sessions, from `with` to its end."""

    def __init__(self, deployment: MySqlDeployment, *, sessions: int = 3) -> None:
        self._deployment = deployment
        self._acknowledged: set[int] = set()
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=self._write, args=(first, sessions), daemon=True) for first in range(sessions)
        ]

    def __enter__(self) -> Self:
        with self._deployment.session(self._deployment.primary_ordinal()) as cursor:
            cursor.execute(f"DROP TABLE IF EXISTS {TABLE}")
            cursor.execute(f"CREATE TABLE {TABLE} (number INT PRIMARY KEY)")
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join(JOIN_SECONDS)

    @property
    def acknowledged(self) -> frozenset[int]:
        """The numbers whose commit was answered."""
        return frozenset(self._acknowledged)

    def until_acknowledged(self, more: int, within_seconds: float) -> float:
        """Seconds until so many more rows than now are acknowledged."""
        wanted = len(self._acknowledged) + more
        return seconds_until(
            lambda: len(self._acknowledged) >= wanted, within_seconds=within_seconds, what=f"{more} more writes"
        )

    def missing_on(self, ordinal: int) -> frozenset[int]:
        """The acknowledged numbers that a member doesn't have although it has applied what the primary has."""
        self._deployment.until_applied(ordinal, APPLY_SECONDS)
        with self._deployment.session(ordinal) as cursor:
            cursor.execute(f"SELECT number FROM {TABLE}")
            return self.acknowledged - {number for (number,) in cursor.fetchall()}

    def _write(self, first: int, step: int) -> None:
        number = first
        while not self._ended.is_set():
            try:
                with self._deployment.session(self._deployment.primary_ordinal()) as cursor:
                    while not self._ended.is_set():
                        # A number whose answer was lost is never used again: it's unknown, not acknowledged.
                        number += step
                        cursor.execute(f"INSERT INTO {TABLE} VALUES (%s)", (number,))
                        self._acknowledged.add(number)
            except (pymysql.MySQLError, LookupError):
                self._ended.wait(0.2)
