"""Users of the seed profiles with points, granted once, in double entry."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid5

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.infra.mysql import rows
from doorbuster.infra.mysql.transactions import database_time
from doorbuster.kernel.ids import UserId
from doorbuster.points.model import EntryKind, SystemAccount, user_account
from doorbuster.points.tables import point_balances, point_entries

# A user's grant has the same id in every run and place: the entries' key refuses a second one.
_GRANTS = UUID("0b7d44c1-5b0e-4c39-9a57-0d4f6c1c7d6e")


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
        transaction_id = uuid5(_GRANTS, str(user_id))
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
