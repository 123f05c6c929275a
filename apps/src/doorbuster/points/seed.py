"""Users of the seed profiles with points, granted once, in double entry."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.infra.mysql import rows
from doorbuster.infra.mysql.transactions import database_time
from doorbuster.kernel.ids import UserId
from doorbuster.points.model import EntryKind, SystemAccount, user_account
from doorbuster.points.tables import point_balances, point_entries

# UUIDv8: version and variant, and no other bit above the user's number.
_GRANTS = (0x8 << 76) | (0b10 << 62)


def grant_id(user_id: UserId) -> UUID:
    """Return the id of a user's grant, the same in every run and place: the entries' key refuses a second one.

    The ids go up with the users, so that a million of them are written at one end of the table and not all over it;
    and they lie below every id that has a time in it.
    """
    return UUID(int=_GRANTS | user_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class UserSeed:
    """Users 1 to `count`, each with `points`. A user who has a balance keeps it, whatever it is."""

    count: int
    points: int
    name: str = "users"
    rows_per_item: int = 3

    async def write(self, connection: AsyncConnection, numbers: range) -> int:
        """Insert those of the users that are missing, and return how many that were."""
        known = select(point_balances.c.user_id).where(
            point_balances.c.user_id.between(numbers.start, numbers.stop - 1)
        )
        missing = sorted(set(numbers) - set((await connection.execute(known)).scalars()))
        now = await database_time(connection)
        await rows.add(connection, point_balances, [{"user_id": user, "balance": self.points} for user in missing])
        entries = [entry for user in missing for entry in self._entries(UserId(user), now)]
        await rows.add(connection, point_entries, entries)
        return len(missing)

    def _entries(self, user_id: UserId, now: datetime) -> tuple[rows.Values, ...]:
        transaction_id = grant_id(user_id)
        return tuple(
            {
                "transaction_id": transaction_id,
                "kind": EntryKind.GRANT,
                "account": account,
                "amount": amount,
                "created_at": now,
            }
            for account, amount in ((user_account(user_id), self.points), (SystemAccount.GRANTS, -self.points))
        )
