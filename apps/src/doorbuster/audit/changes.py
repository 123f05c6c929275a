"""Looks at what has changed since the last look, at what is still open, and again at what was broken.

What somebody changed by hand, with no new time on it, is seen only by a full scan.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from doorbuster.audit import checks, statements
from doorbuster.audit.checks import BELOW_EVERY_NUMBER, BELOW_EVERY_USER, Check, utc
from doorbuster.audit.full_scan import look_at_accepted_issues, look_at_messages
from doorbuster.audit.model import Findings, Invariant, Subject
from doorbuster.audit.snapshot import Scope, Snapshot, keys_in, naive
from doorbuster.audit.sum_checks import StockFacts, judge_stock

# A transaction takes its time when it begins, and is seen when it has ended: seconds later, and on a secondary up to
# one more.
OVERLAP = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What one look leaves for the next.

    Attributes:
        since: changes from then on weren't looked at, or may not have been there yet.
        uncounted_since: no PAID order that finished before is missing in the sales.
        broken: what was broken; it is looked at again.
    """

    since: datetime
    uncounted_since: datetime
    broken: Findings = field(default_factory=Findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Changed:
    """The keys to look at: rows' own, as the database has them."""

    orders: set[bytes]
    holding: set[bytes]
    """Orders whose units are reserved and not counted as sold."""
    reserved: set[bytes]
    transactions: set[bytes]
    accounts: set[str]
    key_times: set[datetime]


def remembered(snapshot: Snapshot, findings: Findings, *, uncounted_since: datetime) -> Memory:
    """Return what the next look has to know."""
    now = snapshot.moment.now
    return Memory(since=now - OVERLAP, uncounted_since=min(uncounted_since, now) - OVERLAP, broken=findings)


async def look_at_changes(snapshot: Snapshot, memory: Memory) -> tuple[Findings, Memory]:
    """Return what is broken now, and what the next look has to know.

    Raises:
        TooManyChanges: they don't fit into memory; a full scan is due.
        PrimaryUnavailable: the database went away, or a statement took too long.
    """
    findings = Findings()
    changed = await _changed(snapshot, memory)
    await _look(snapshot, checks.ORDERS, changed.orders, findings)
    for part in checks.PARTS:
        await _look(snapshot, part, changed.orders, findings)
    await _look(snapshot, checks.PAYMENTS, changed.orders | changed.transactions, findings)
    await _look(snapshot, checks.MOVEMENTS, changed.transactions, findings)
    await _look(snapshot, checks.BALANCES, _users(changed.accounts), findings)
    await _look(snapshot, checks.ENTRIES_WITHOUT_BALANCE, changed.accounts, findings)
    await _look(snapshot, checks.KEYS, changed.key_times, findings)
    await _look_at_stock(snapshot, changed, memory.broken, findings)
    # Only a full scan can tell whether these are right again.
    findings.add(each for each in memory.broken.breaches if (each.invariant, each.subject) == _SALES_OF_A_PRODUCT)
    await _look_at_coupons(snapshot, changed, memory.broken, findings)
    await look_at_accepted_issues(snapshot, findings)
    await look_at_messages(snapshot, findings)
    oldest = await _oldest_uncounted(snapshot, memory.uncounted_since)
    return findings, remembered(snapshot, findings, uncounted_since=oldest)


_SALES_OF_A_PRODUCT = (Invariant.SALES, Subject.PRODUCT)


async def _changed(snapshot: Snapshot, memory: Memory) -> _Changed:
    since, broken = naive(memory.since), memory.broken
    is_open = await snapshot.changed("open")
    finished = await snapshot.changed("finished", since=since)
    reserved = await snapshot.changed("reserved", since=since)
    uncounted = await snapshot.changed("uncounted", uncounted_since=naive(memory.uncounted_since))
    return _Changed(
        orders=is_open | finished | reserved | uncounted | broken.ids(Subject.ORDER),
        holding=is_open | uncounted,
        reserved=reserved,
        transactions=await snapshot.changed("moved", since=since) | broken.ids(Subject.TRANSACTION),
        accounts=await snapshot.changed("entered", since=since)
        | {f"{BELOW_EVERY_USER}{user}" for user in broken.ids(Subject.USER)},
        key_times=await snapshot.changed("keyed", since=since) | await _times(snapshot, broken.ids(Subject.KEY)),
    )


async def _times(snapshot: Snapshot, key_ids: Collection[Any]) -> set[datetime]:
    found: set[datetime] = set()
    for scope in keys_in(key_ids):
        found |= {row[0] for row in await snapshot.rows(statements.TIMES_OF_KEYS, scope, column="k.id")}
    return found


async def _look(snapshot: Snapshot, check: Check, keys: Collection[Any], findings: Findings) -> None:
    for scope in keys_in(keys):
        findings.looked_at[check.walk.name] += scope.rows
        findings.add(await snapshot.check(check, scope))


async def _look_at_stock(snapshot: Snapshot, changed: _Changed, broken: Findings, findings: Findings) -> None:
    """Compare what is missing of each product with what is counted as sold and what orders hold beside that.

    So nobody has to add up all reservations: the sales are the sum of those that never change any more.
    """
    held: dict[int, int] = {}
    for scope in keys_in(changed.holding):
        above = BELOW_EVERY_NUMBER
        for row in await snapshot.rows(statements.RESERVED_UNITS, scope, column="r.order_id", above=above):
            held[row[0]] = held.get(row[0], 0) + int(row[1])
    products = held.keys() | broken.ids(Subject.PRODUCT)
    for scope in keys_in(changed.reserved):
        products |= {row[0] for row in await snapshot.rows(statements.PRODUCTS_OF, scope, column="r.order_id")}
    for scope in keys_in(products):
        findings.looked_at["products"] += scope.rows
        for product_id, supplied, available, sold in await snapshot.rows(
            statements.STOCK_BESIDE_SALES, scope, column="s.product_id"
        ):
            units = int(sold) + held.get(product_id, 0)
            facts = StockFacts(product_id=product_id, supplied=supplied, available=available, held=units)
            findings.add(judge_stock(facts))


async def _look_at_coupons(snapshot: Snapshot, changed: _Changed, broken: Findings, findings: Findings) -> None:
    async for scope in snapshot.pages(checks.COUPONS.walk):
        findings.add(await snapshot.check(checks.COUPONS, scope))
    await _look(snapshot, checks.REDEMPTIONS, changed.orders, findings)
    await _look(snapshot, checks.ISSUES, broken.ids(Subject.ISSUE), findings)


async def _oldest_uncounted(snapshot: Snapshot, since: datetime) -> datetime:
    scope = Scope(condition="{column} >= :uncounted_since", values={"uncounted_since": naive(since)}, rows=0)
    ((finished_at,),) = await snapshot.rows(statements.OLDEST_UNCOUNTED, scope, column="o.finished_at")
    return utc(finished_at) or snapshot.moment.now


def _users(accounts: Collection[str]) -> set[int]:
    """Return whose accounts these are; one that is nobody's is found by its entries."""
    names = (account.removeprefix(BELOW_EVERY_USER) for account in accounts)
    return {int(name) for name in names if name.isdecimal() and name.isascii()}
