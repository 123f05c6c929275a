"""Coupons and their issues in MySQL: a constant number of statements a batch."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.coupons.coupon import Coupon, Issue, IssueStatus
from doorbuster.coupons.coupon_rows import coupon_of, coupon_values, issue_of, issue_values
from doorbuster.coupons.issue_ports import CouponsThen
from doorbuster.coupons.issuing import Holder, IssueDecision, IssueState
from doorbuster.coupons.tables import coupon_issues, coupons
from doorbuster.infra.mysql import rows
from doorbuster.infra.mysql.database import Database
from doorbuster.infra.mysql.transactions import database_time
from doorbuster.kernel.ids import CouponId, IssueId, UserId


class MySqlIssueRepository:
    """Coupons and issues, inside one transaction; also reads of issues on any connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        """Work on this connection."""
        self._connection = connection

    async def lock_coupons(self, coupon_ids: Collection[CouponId]) -> Mapping[CouponId, Coupon]:
        """Return the coupons that exist, locked."""
        return {coupon.id: coupon for coupon in map(coupon_of, await rows.lock(self._connection, coupons, coupon_ids))}

    async def find_issues(self, holders: Collection[Holder]) -> Mapping[Holder, Issue]:
        """Return the issues that exist; whoever has locked their coupons misses none.

        Without a lock of their own: their rows are locked by whoever redeems them, in another order.
        """
        if not holders:
            return {}
        wanted = tuple_(coupon_issues.c.coupon_id, coupon_issues.c.user_id).in_(sorted(holders))
        found = map(issue_of, await self._connection.execute(select(coupon_issues).where(wanted)))
        return {(issue.coupon_id, issue.user_id): issue for issue in found}

    async def save(self, before: IssueState, decision: IssueDecision) -> None:
        """Write what was decided on `before`.

        Raises:
            RowsChangedMeanwhile: a counter isn't any more what it was.
        """
        issued = {coupon_id: coupon.issued for coupon_id, coupon in before.coupons.items()}
        await rows.change(self._connection, coupons.c.issued, before=issued, after=decision.issued)
        await rows.add(self._connection, coupon_issues, [issue_values(issue) for issue in decision.issues])

    async def find(self, keys: Collection[tuple[UserId, IssueId]]) -> Mapping[tuple[UserId, IssueId], Issue]:
        """Return the issues under these ids that belong to these users."""
        found = map(issue_of, await rows.find(self._connection, coupon_issues, {issue_id for _, issue_id in keys}))
        of_all = {(issue.user_id, issue.id): issue for issue in found}
        return {key: of_all[key] for key in keys if key in of_all}

    async def finish(self, issue_ids: Collection[IssueId], now: datetime) -> int:
        """Set those that are ACCEPTED to ISSUED; return how many that were.

        A statement of its own and no decision on what was read: it is the same however often it comes.
        """
        accepted = (coupon_issues.c.id.in_(sorted(issue_ids)), coupon_issues.c.status == IssueStatus.ACCEPTED)
        statement = update(coupon_issues).with_hint(rows.BY_KEY, coupon_issues).where(*accepted)
        return (await self._connection.execute(statement.values(status=IssueStatus.ISSUED, issued_at=now))).rowcount


class MySqlCoupons:
    """Reads of coupons and of their holders on the primary, and the epochs of their gates."""

    def __init__(self, database: Database) -> None:
        """Use the applications' database."""
        self._database = database

    async def find(self, coupon_ids: Collection[CouponId]) -> CouponsThen:
        """Return the coupons that exist."""
        async with self._database.reading() as connection:
            # The time first: what is read behind it isn't older.
            now = await database_time(connection)
            found = map(coupon_of, await rows.find(connection, coupons, coupon_ids))
            return CouponsThen(now=now, coupons={coupon.id: coupon for coupon in found})

    async def open_coupons(self, *, after: CouponId, most: int) -> Sequence[Coupon]:
        """Return coupons that haven't ended, behind `after`, ascending by id."""
        wanted = (coupons.c.id > after, coupons.c.valid_until > func.utc_timestamp(6))
        return await self._coupons(select(coupons).where(*wanted).order_by(coupons.c.id).limit(most))

    async def page(self, *, after: CouponId, most: int) -> Sequence[Coupon]:
        """Return all coupons behind `after`, ascending by id."""
        return await self._coupons(select(coupons).where(coupons.c.id > after).order_by(coupons.c.id).limit(most))

    async def holders(self, coupon_id: CouponId, *, after: UserId, most: int) -> Sequence[UserId]:
        """Return users who have the coupon, behind `after`, ascending."""
        user_id = coupon_issues.c.user_id
        wanted = (coupon_issues.c.coupon_id == coupon_id, user_id > after)
        return [UserId(each) for each in await self._users(select(user_id).where(*wanted), most=most)]

    async def holding(self, coupon_id: CouponId, user_ids: Collection[UserId]) -> frozenset[UserId]:
        """Return those of the users who have the coupon."""
        user_id = coupon_issues.c.user_id
        wanted = (coupon_issues.c.coupon_id == coupon_id, user_id.in_(sorted(user_ids)))
        return frozenset(UserId(each) for each in await self._users(select(user_id).where(*wanted), most=len(user_ids)))

    async def next_epoch(self, coupon_id: CouponId, *, behind: int) -> Coupon | None:
        """Give the coupon an epoch behind its own and `behind`; return it, or None if there is no such coupon."""
        async with self._database.transaction() as connection:
            return await change_coupon(connection, coupon_id, behind=behind)

    async def _coupons(self, statement: Select[Any]) -> Sequence[Coupon]:
        async with self._database.reading() as connection:
            return [coupon_of(row) for row in await connection.execute(statement)]

    async def _users(self, statement: Select[Any], *, most: int) -> Sequence[int]:
        async with self._database.reading() as connection:
            found = await connection.execute(statement.order_by(coupon_issues.c.user_id).limit(most))
            return list(found.scalars())


async def make_coupon(connection: AsyncConnection, coupon: Coupon) -> Coupon:
    """Insert the coupon behind all others and return it with its id; its own id is of no meaning.

    Raises:
        DataRefused: at the same moment somebody else made one with this id, or the values are wrong.
    """
    highest = (await connection.execute(select(func.max(coupons.c.id)))).scalar_one()
    coupon_id = CouponId((highest or 0) + 1)
    await rows.add(connection, coupons, [coupon_values(replace(coupon, id=coupon_id))])
    return (await MySqlIssueRepository(connection).lock_coupons([coupon_id]))[coupon_id]


async def change_coupon(
    connection: AsyncConnection, coupon_id: CouponId, *, units: int = 0, behind: int = 0
) -> Coupon | None:
    """Give the coupon more units and its gate a new epoch; return it, or None if there is no such coupon.

    Args:
        connection: an open transaction.
        coupon_id: which one.
        units: how many more.
        behind: the new epoch is greater than this one and than the coupon's own.
    """
    columns = coupons.c
    statement = (
        update(coupons)
        .with_hint(rows.BY_KEY, coupons)
        .where(columns.id == coupon_id)
        .values(
            total=columns.total + units,
            epoch=func.greatest(columns.epoch, behind) + 1,
            version=columns.version + (1 if units else 0),
        )
    )
    await connection.execute(statement)
    return (await MySqlIssueRepository(connection).lock_coupons([coupon_id])).get(coupon_id)
