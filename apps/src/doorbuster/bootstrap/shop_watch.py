"""Measures that the catalogue isn't empty.

One process at a time does it, with one bounded statement. What can't be read is not known, and that is shown as not a
number: never as 0.
"""

import asyncio

import structlog
from sqlalchemy import TextClause, text

from doorbuster.infra.mysql.database_lock import Readings
from doorbuster.infra.telemetry import CATALOGUE_PRODUCTS, CATALOGUE_PRODUCTS_MINIMUM, NOT_KNOWN
from doorbuster.kernel.errors import DoorbusterError

LOOK_SECONDS = 15.0
# The question is whether there are any; the count stops here, so that it stays cheap.
MOST_PRODUCTS = 1000
# Half of the time after which the client gives the connection up (R2), and with it the whole pool.
LONGEST_STATEMENT_MILLISECONDS = 1000

log = structlog.get_logger()


class ShopWatch:
    """Counts the products, again and again."""

    def __init__(self, database: Readings, *, look_seconds: float = LOOK_SECONDS, minimum_products: int = 1) -> None:
        """Take where the shop's data are, and the pause between two looks.

        With fewer than `minimum_products` the catalogue counts as empty; that is shown, and judged by an alert.
        """
        self._database = database
        self._count_products = _counting_up_to(max(MOST_PRODUCTS, minimum_products))
        CATALOGUE_PRODUCTS_MINIMUM.set(minimum_products)
        self._look_seconds = look_seconds

    async def run(self) -> None:
        """Look until cancelled; afterwards nothing is known."""
        try:
            while True:
                await self._look_or_forget()
                await asyncio.sleep(self._look_seconds)
        finally:
            CATALOGUE_PRODUCTS.set(NOT_KNOWN)

    async def look(self) -> None:
        """Count the products."""
        CATALOGUE_PRODUCTS.set(await self._products())

    async def _look_or_forget(self) -> None:
        try:
            await self.look()
        except Exception:  # whatever it is, the sagas are looked after beside it, and that must go on
            log.exception("shop_not_measured")
            CATALOGUE_PRODUCTS.set(NOT_KNOWN)

    async def _products(self) -> float:
        try:
            async with self._database.reading() as connection:
                return float((await connection.execute(self._count_products)).scalar_one())
        except DoorbusterError as exc:
            log.warning("catalogue_not_measured", cause=str(exc))
            return NOT_KNOWN


def _counting_up_to(most: int) -> TextClause:
    return text(
        f"SELECT /*+ MAX_EXECUTION_TIME({LONGEST_STATEMENT_MILLISECONDS}) */ COUNT(*)"  # noqa: S608  # numbers of ours
        f" FROM (SELECT 1 FROM products LIMIT {most:d}) AS counted"
    )
