"""Chooses a secondary for catalogue reads and watches it (R5): a question a second, never on a reader's time."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from doorbuster.infra.mysql.group_questions import Standing
from doorbuster.infra.mysql.group_views import may_serve_reads
from doorbuster.kernel.errors import PrimaryUnavailable

SECONDS_BETWEEN_LOOKS = 1.0
# A look may take this much longer; then the last one says nothing any more.
MOST_SECONDS_SINCE_LOOK = 2.0

log = structlog.get_logger()


class Secondaries:
    """Where the catalogue may be read besides the primary; one secondary at a time for a process.

    A secondary that is cut off from its group believes for about five seconds that nothing happens there, and is
    taken for current that long.
    """

    def __init__(
        self,
        hosts: Sequence[str],
        *,
        ask: Callable[[str], Awaitable[Standing | None]],
        monotonic: Callable[[], float],
        shuffled: Callable[[Sequence[str]], Sequence[str]],
    ) -> None:
        """Take what does the asking, the clock and the dice; nobody is asked yet.

        Args:
            hosts: all members.
            ask: asks one member how it stands; None means that it didn't answer.
            monotonic: a clock in seconds.
            shuffled: returns the hosts in an order by chance, so that processes spread over the secondaries.
        """
        self._hosts = hosts
        self._ask = ask
        self._monotonic = monotonic
        self._shuffled = shuffled
        self._look: asyncio.Task[None] | None = None
        self._looked_at = -MOST_SECONDS_SINCE_LOOK
        self._found_fit_at = -MOST_SECONDS_SINCE_LOOK
        self.known: str | None = None
        """The host of the secondary that was fit at the last look; None when none was."""
        self.generation = 0
        """Grows with each change of the secondary."""

    async def host(self) -> str:
        """Return the chosen secondary.

        Raises:
            PrimaryUnavailable: there is none.
        """
        if self.known is None:
            raise PrimaryUnavailable("no secondary is fit for reads")
        return self.known

    def forget(self, generation: int) -> None:
        """Read from the primary until the next look finds a secondary."""
        if generation == self.generation:
            self._choose(None)

    def any_fit(self) -> bool:
        """Tell whether a secondary was fit lately, without asking it; begins a look when the last one is old."""
        if len(self._hosts) == 1:
            return False
        now = self._monotonic()
        if now - self._looked_at >= SECONDS_BETWEEN_LOOKS and (self._look is None or self._look.done()):
            self._looked_at = now
            self._look = asyncio.create_task(self._look_around(), name="secondary-look")
        return self.known is not None and now - self._found_fit_at <= MOST_SECONDS_SINCE_LOOK

    async def looked(self) -> None:
        """Return when what `any_fit` says is new: for who reads seldom and can wait for a look."""
        self.any_fit()
        if self._look is not None:
            await asyncio.wait({self._look})

    async def close(self) -> None:
        """End a look that is under way."""
        if self._look is not None:
            self._look.cancel()
            await asyncio.wait({self._look})

    async def _look_around(self) -> None:
        if self.known is not None and await self._is_fit(self.known):
            return
        for host in self._shuffled(self._hosts):
            if await self._is_fit(host):
                self._choose(host)
                return
        self._choose(None)

    async def _is_fit(self, host: str) -> bool:
        standing = await self._ask(host)
        fit = standing is not None and may_serve_reads(standing.view, standing.backlog)
        if fit:
            self._found_fit_at = self._monotonic()
        return fit

    def _choose(self, host: str | None) -> None:
        if host != self.known:
            log.info("secondary_chosen", host=host, instead_of=self.known)
            self.known = host
            self.generation += 1
