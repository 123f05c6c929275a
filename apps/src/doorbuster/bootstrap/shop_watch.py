"""Measures what the shop's data must look like: that the catalogue isn't empty, and that no invariant is broken.

One process at a time does it, and its statements are few and bounded. A rule that can't be read, or takes too long, is
not known, and that is shown as not a number: never as 0.
"""

import asyncio
from collections.abc import Mapping

import structlog
from sqlalchemy import TextClause, text
from sqlalchemy.exc import DBAPIError

from doorbuster.bootstrap.invariants import (
    INVARIANTS,
    LONGEST_STATEMENT_MILLISECONDS,
    PAGE_ROWS,
    STATEMENT_TIMED_OUT,
    Invariant,
    Page,
    Rule,
    read_page,
)
from doorbuster.infra.mysql.database_lock import Readings
from doorbuster.infra.mysql.sql_errors import number_of
from doorbuster.infra.telemetry import CATALOGUE_PRODUCTS, CATALOGUE_PRODUCTS_MINIMUM, INVARIANT_BREACHES, NOT_KNOWN
from doorbuster.kernel.errors import DoorbusterError

LOOK_SECONDS = 15.0
# A rule whose statement took too long is left alone for so many looks, five minutes: it cost a second of the primary.
LOOKS_TO_REST = 20
# The question is whether there are any; the count stops here, so that it stays cheap.
MOST_PRODUCTS = 1000

log = structlog.get_logger()


class Pass:
    """How far one rule's look has come, from the newest key down, and what was found on the way."""

    def __init__(self, invariant: Invariant) -> None:
        """Begin a first pass."""
        self._invariant = invariant
        self._pages = 0
        self._found = 0
        self._found_last = 0
        self.before = invariant.newest

    @property
    def broken(self) -> int:
        """Rows that break the rule: found in this pass so far or in the last one, whichever are more.

        So a breach shows at once, and goes only after a whole pass that didn't meet it.
        """
        return max(self._found, self._found_last)

    def saw(self, page: Page) -> None:
        """Go on behind a page, or begin anew after the last."""
        self._pages += 1
        self._found += page.broken
        if page.last is None or page.rows < PAGE_ROWS or self._pages == self._invariant.most_pages:
            self._found_last, self._found, self._pages = self._found, 0, 0
            self.before = self._invariant.newest
        else:
            self.before = page.last


class ShopWatch:
    """Looks at the catalogue and at each invariant, again and again."""

    def __init__(
        self,
        database: Readings,
        *,
        invariants: Mapping[Rule, Invariant] = INVARIANTS,
        look_seconds: float = LOOK_SECONDS,
        minimum_products: int = 1,
    ) -> None:
        """Take where the shop's data are, what to look at, and the pause between two looks.

        With fewer than `minimum_products` the catalogue counts as empty; that is shown, and judged by an alert.
        """
        self._database = database
        self._count_products = _counting_up_to(max(MOST_PRODUCTS, minimum_products))
        CATALOGUE_PRODUCTS_MINIMUM.set(minimum_products)
        self._look_seconds = look_seconds
        self._passes = {rule: Pass(invariant) for rule, invariant in invariants.items()}
        self._invariants = invariants
        self._resting: dict[Rule, int] = {}

    @property
    def resting(self) -> frozenset[Rule]:
        """The rules that took too long and are left alone for now."""
        return frozenset(self._resting)

    async def run(self) -> None:
        """Look until cancelled; afterwards nothing is known."""
        try:
            while True:
                await self._look_or_forget()
                await asyncio.sleep(self._look_seconds)
        finally:
            self._forget()

    async def look(self) -> None:
        """Count the products, and read one page for each rule."""
        CATALOGUE_PRODUCTS.set(await self._products())
        for rule in self._passes:
            INVARIANT_BREACHES.labels(rule.value).set(await self._breaches(rule))

    async def _look_or_forget(self) -> None:
        try:
            await self.look()
        except Exception:  # whatever it is, the sagas are looked after beside it, and that must go on
            log.exception("shop_not_measured")
            self._forget()

    def _forget(self) -> None:
        CATALOGUE_PRODUCTS.set(NOT_KNOWN)
        for rule in self._passes:
            INVARIANT_BREACHES.labels(rule.value).set(NOT_KNOWN)

    async def _products(self) -> float:
        try:
            async with self._database.reading() as connection:
                return float((await connection.execute(self._count_products)).scalar_one())
        except DoorbusterError as exc:
            log.warning("catalogue_not_measured", cause=str(exc))
            return NOT_KNOWN

    async def _breaches(self, rule: Rule) -> float:
        if self._rests(rule):
            return NOT_KNOWN
        progress = self._passes[rule]
        try:
            async with self._database.reading() as connection:
                page = await read_page(connection, self._invariants[rule], progress.before)
        except DoorbusterError as exc:
            log.warning("invariant_not_measured", rule=rule.value, cause=str(exc))
            if _took_too_long(exc):
                self._resting[rule] = LOOKS_TO_REST
            return NOT_KNOWN
        if page.broken:
            log.error("invariant_broken", rule=rule.value, rows=page.broken, example=_shown(page.example))
        progress.saw(page)
        return float(progress.broken)

    def _rests(self, rule: Rule) -> bool:
        left = self._resting.pop(rule, 0)
        if left > 1:
            self._resting[rule] = left - 1
        return left > 0


def _counting_up_to(most: int) -> TextClause:
    return text(
        f"SELECT /*+ MAX_EXECUTION_TIME({LONGEST_STATEMENT_MILLISECONDS}) */ COUNT(*)"  # noqa: S608  # numbers of ours
        f" FROM (SELECT 1 FROM products LIMIT {most:d}) AS counted"
    )


def _took_too_long(error: DoorbusterError) -> bool:
    cause = error.__cause__
    return isinstance(cause, DBAPIError) and number_of(cause) == STATEMENT_TIMED_OUT


def _shown(key: int | bytes | None) -> str:
    return key.hex() if isinstance(key, bytes) else str(key)
