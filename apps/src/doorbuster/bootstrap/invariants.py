"""What must be true of the shop's data at any moment, orders under way or not: each rule is one bounded statement.

A statement is one consistent snapshot. It reads one page of a table, newest keys first, and says how many rows of the
page break the rule. Page after page is a pass; the next pass begins at the newest key again. Two rules also read all
reservations or all entries, so in a large shop their statement is ended by MySQL, and the rule isn't known there.

Rules that hold only when nothing is under way are the business of `tests/audit.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import TextClause, bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection

# Half of the time after which the client gives the connection up (R2), and with it the whole pool.
LONGEST_STATEMENT_MILLISECONDS = 1000
# What is ended by MySQL after that time fails with this number.
STATEMENT_TIMED_OUT = 3024
PAGE_ROWS = 2000
# With a look each 15 s a pass over as many pages takes about six minutes.
NEWEST_PAGES = 25
_ABOVE_EVERY_NUMBER = 2**63 - 1
_ABOVE_EVERY_ID = b"\xff" * 16


class Rule(StrEnum):
    """The invariants by the value of their label."""

    STOCK_WITHIN_SUPPLY = "stock_within_supply"
    """No product has less than nothing left, or more than was supplied."""
    RESERVED_UNITS_LEFT_STOCK = "reserved_units_left_stock"
    """What is missing of a product is what is reserved of it: nothing is sold twice, nothing vanishes."""
    ENTRIES_SUM_TO_ZERO = "entries_sum_to_zero"
    """Points are moved, never made: the entries of a transaction and kind cancel out."""
    BALANCE_IS_SUM_OF_ENTRIES = "balance_is_sum_of_entries"
    """A user's balance is what the entries say."""
    ORDER_AGREES_WITH_PAYMENT = "order_agrees_with_payment"
    """A PAID order is paid in full, a FAILED one not at all."""
    ORDER_AGREES_WITH_RESERVATION = "order_agrees_with_reservation"
    """A PAID order has its units, a compensated one has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invariant:
    """How a rule is looked at.

    Attributes:
        statement: takes `before` and `page_rows`; answers with the columns of `Page`.
        newest: a key above all others, where a pass begins.
        most_pages: pages of a pass; None means as many as there are.
    """

    statement: TextClause
    newest: int | bytes
    most_pages: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What one statement saw.

    Attributes:
        rows: rows on the page; fewer than PAGE_ROWS on the last one.
        last: the page's lowest key; None on an empty page.
        broken: rows that break the rule.
        example: the key of one of those; None when there is none.
    """

    rows: int
    last: int | bytes | None
    broken: int
    example: int | bytes | None


async def read_page(connection: AsyncConnection, invariant: Invariant, before: int | bytes) -> Page:
    """Return what stands on the page below a key; errors of the database are the caller's."""
    parameters = {"before": before, "page_rows": PAGE_ROWS}
    rows, last, broken, example = (await connection.execute(invariant.statement, parameters)).one()
    return Page(rows=rows, last=last, broken=int(broken), example=example)


def _statement(*, pages: str, judged: str, broken: str) -> TextClause:
    """Return a statement over a page.

    Args:
        pages: the common table expression `page`, with the column `id`, and those that build on it.
        judged: a FROM clause with exactly one row for each row of the page.
        broken: is 1 where such a row breaks the rule, otherwise 0; never NULL.
    """
    return text(
        f"WITH {pages}, judged AS (SELECT page.id, {broken} AS broken FROM {judged})"  # noqa: S608  # constants of ours
        f" SELECT /*+ MAX_EXECUTION_TIME({LONGEST_STATEMENT_MILLISECONDS}) NO_MERGE(judged) */"
        " COUNT(*), MIN(id), COALESCE(SUM(broken), 0), MIN(IF(broken, id, NULL)) FROM judged"
    ).bindparams(bindparam("before"), bindparam("page_rows"))


# An id as one would be made in a minute. Grants seeded by older releases have ids that are above it.
_ID_IN_A_MINUTE = "UNHEX(RPAD(LPAD(HEX(FLOOR(UNIX_TIMESTAMP(NOW(3)) * 1000) + 60000), 12, '0'), 32, 'F'))"


def _page(table: str, key: str, columns: Sequence[str] = ()) -> str:
    selected = ", ".join((f"{key} AS id", *columns))
    return (
        f"page AS (SELECT {selected} FROM {table} WHERE {key} < :before"  # noqa: S608  # constants of this module
        f" ORDER BY {key} DESC LIMIT :page_rows)"
    )


_PAGE_OF_STOCK = _page("stock", "product_id", ("supplied", "available"))
_RESERVED = """reserved AS (
    SELECT line.product_id, SUM(line.quantity) AS units FROM stock_reservations
    JOIN JSON_TABLE(stock_reservations.`lines`, '$[*]' COLUMNS (
      product_id BIGINT PATH '$.product_id', quantity BIGINT PATH '$.quantity')) AS line
    WHERE stock_reservations.status = 'RESERVED' GROUP BY line.product_id
)"""
_ENTERED = """entered AS (
    SELECT page.id, SUM(entry.amount) AS amount FROM page
    JOIN point_entries AS entry ON entry.account = CONCAT('user:', page.id) GROUP BY page.id
)"""
_PAGE_OF_TRANSACTIONS = f"""page AS (
    SELECT DISTINCT transaction_id AS id FROM point_entries
    WHERE transaction_id < :before AND transaction_id < {_ID_IN_A_MINUTE}
    ORDER BY transaction_id DESC LIMIT :page_rows
)"""  # noqa: S608  # a constant of this module
_UNBALANCED = """EXISTS (
    SELECT 1 FROM point_entries AS entry WHERE entry.transaction_id = page.id
    GROUP BY entry.kind HAVING SUM(entry.amount) <> 0
)"""
_PAGE_OF_ORDERS = _page("orders", "id", ("status", "total", "compensated_at"))
_PAYMENT_IN_FULL = "COALESCE(payment.status = 'PAID' AND payment.amount = page.total, 0)"
_RESERVATION_IS_KEPT = "COALESCE(reservation.status = 'RESERVED', 0)"

INVARIANTS = {
    Rule.STOCK_WITHIN_SUPPLY: Invariant(
        newest=_ABOVE_EVERY_NUMBER,
        statement=_statement(
            pages=_PAGE_OF_STOCK, judged="page", broken="page.available NOT BETWEEN 0 AND page.supplied"
        ),
    ),
    Rule.RESERVED_UNITS_LEFT_STOCK: Invariant(
        newest=_ABOVE_EVERY_NUMBER,
        statement=_statement(
            pages=f"{_PAGE_OF_STOCK}, {_RESERVED}",
            judged="page LEFT JOIN reserved ON reserved.product_id = page.id",
            broken="page.supplied - page.available <> COALESCE(reserved.units, 0)",
        ),
    ),
    Rule.ENTRIES_SUM_TO_ZERO: Invariant(
        newest=_ABOVE_EVERY_ID,
        most_pages=NEWEST_PAGES,
        statement=_statement(
            pages=_PAGE_OF_TRANSACTIONS,
            judged="page",
            broken=_UNBALANCED,
        ),
    ),
    Rule.BALANCE_IS_SUM_OF_ENTRIES: Invariant(
        newest=_ABOVE_EVERY_NUMBER,
        statement=_statement(
            pages=f"{_page('point_balances', 'user_id', ('balance',))}, {_ENTERED}",
            judged="page LEFT JOIN entered ON entered.id = page.id",
            broken="page.balance <> COALESCE(entered.amount, 0)",
        ),
    ),
    Rule.ORDER_AGREES_WITH_PAYMENT: Invariant(
        newest=_ABOVE_EVERY_ID,
        most_pages=NEWEST_PAGES,
        statement=_statement(
            pages=_PAGE_OF_ORDERS,
            judged="page LEFT JOIN payments AS payment ON payment.order_id = page.id",
            broken=f"(page.status = 'PAID' AND NOT {_PAYMENT_IN_FULL})"
            " OR (page.status = 'FAILED' AND COALESCE(payment.status = 'PAID', 0))",
        ),
    ),
    Rule.ORDER_AGREES_WITH_RESERVATION: Invariant(
        newest=_ABOVE_EVERY_ID,
        most_pages=NEWEST_PAGES,
        statement=_statement(
            pages=_PAGE_OF_ORDERS,
            judged="page LEFT JOIN stock_reservations AS reservation ON reservation.order_id = page.id",
            broken=f"(page.status = 'PAID' AND NOT {_RESERVATION_IS_KEPT})"
            f" OR (page.compensated_at IS NOT NULL AND {_RESERVATION_IS_KEPT})",
        ),
    ),
}
