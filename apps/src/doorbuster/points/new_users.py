"""New users behind all others, each with points that are granted once, in double entry: for rehearsals.

Users are rows of balances: whoever has one can buy. The ids of one call follow one another, also when several calls
run at once.
"""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.kernel.errors import NotAccepted
from doorbuster.kernel.ids import UserId
from doorbuster.points.seed import UserSeed
from doorbuster.points.tables import point_balances


class UserIdsTaken(NotAccepted):
    """Somebody else made users with these ids meanwhile; the transaction is rolled back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUsers:
    """`count` users from `first` on, each with `points`; a part of a seed, so small transactions write them."""

    first: UserId
    count: int
    points: int
    name: str = "new_users"
    rows_per_item: int = 3

    async def write(self, connection: AsyncConnection, numbers: range) -> int:
        """Insert those of the users that are missing, numbered from 1, and return how many that were."""
        seed = UserSeed(count=self.count, points=self.points)
        return await seed.write(connection, range(self.first + numbers.start - 1, self.first + numbers.stop - 1))


async def claim_users(connection: AsyncConnection, *, count: int, points: int) -> NewUsers:
    """Make the first and the last of `count` new users, and return all of them, to be written.

    The last one keeps the ids between the two: who comes later looks for the highest id, and begins behind it. Of two
    who look at the same time both insert the same first one, and one of them can't.

    Raises:
        UserIdsTaken: somebody else has the first one; with the next transaction there is a new highest id.
    """
    highest = (await connection.execute(select(func.max(point_balances.c.user_id)))).scalar_one()
    users = NewUsers(first=UserId((highest or 0) + 1), count=count, points=points)
    ends = sorted({1, count})
    made = [await users.write(connection, range(number, number + 1)) for number in ends]
    if sum(made) != len(ends):
        raise UserIdsTaken(f"user {users.first} or user {users.first + count - 1} is there already")
    return users
