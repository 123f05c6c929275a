"""Finds the primary of the MySQL group by asking its members (R18), once for everybody who waits."""

import asyncio
from collections.abc import Callable

import structlog

from doorbuster.infra.mysql.group_questions import Ask, ask_all
from doorbuster.infra.mysql.group_views import is_decided, primary_host
from doorbuster.infra.telemetry import DATABASE_PRIMARY_CHANGES
from doorbuster.kernel.errors import PrimaryUnavailable
from doorbuster.settings import MySqlSettings

# While a group elects its primary there is nothing to gain from asking more often.
SECONDS_BETWEEN_SEARCHES = 0.2

log = structlog.get_logger()


class Primary:
    """Where to write. Remembers the answer until somebody finds that it isn't true any more."""

    def __init__(self, settings: MySqlSettings, *, ask: Ask, monotonic: Callable[[], float]) -> None:
        """Take what does the asking; nobody is asked yet.

        Args:
            settings: the hosts, and how long all answers together may take.
            ask: asks one server.
            monotonic: a clock in seconds.
        """
        self._settings = settings
        self._ask = ask
        self._monotonic = monotonic
        self._search: asyncio.Task[None] | None = None
        self._searched_at = -SECONDS_BETWEEN_SEARCHES
        self._told: str | None = None
        self.known: str | None = None
        """The host of the last primary that was found; None when none is known now."""
        self.generation = 0
        """Grows each time that the primary is forgotten: a connection of an earlier generation is of no use."""

    async def host(self) -> str:
        """Return the primary's host. Only the first who asks causes a search, the others wait for its end.

        Raises:
            PrimaryUnavailable: no primary was found; the next call may search again.
        """
        if self.known is None:
            if self._search is None or self._search.done():
                self._search = asyncio.create_task(self._find(), name="primary-search")
            await asyncio.shield(self._search)
        if self.known is None:
            raise PrimaryUnavailable(f"no member of {', '.join(self._settings.hosts)} knows a primary")
        return self.known

    def forget(self, generation: int) -> None:
        """Have the next one who needs the primary search for it.

        Args:
            generation: that of the connection that found it out; news about an earlier generation are old.
        """
        if generation == self.generation:
            self.generation += 1
            self.known = None

    async def close(self) -> None:
        """End a search that is under way."""
        if self._search is not None:
            self._search.cancel()
            await asyncio.wait({self._search})

    async def _find(self) -> None:
        wait_seconds = self._searched_at + SECONDS_BETWEEN_SEARCHES - self._monotonic()
        if wait_seconds > 0:
            await asyncio.sleep(wait_seconds)
        self._searched_at = self._monotonic()
        hosts = self._settings.hosts
        views = await ask_all(
            hosts,
            self._ask,
            enough=lambda views: is_decided(views, hosts=hosts),
            within_seconds=self._settings.connect_seconds,
        )
        self.known = primary_host(views, hosts=hosts)
        DATABASE_PRIMARY_CHANGES.inc()
        self._tell(answers=len(views))

    def _tell(self, *, answers: int) -> None:
        # Not each search: there are five a second while a group elects.
        if self.known != self._told:
            log.info("primary_changed", host=self.known, former=self._told, answers=answers)
            self._told = self.known
