"""Use cases of the points: charging, the payment step of an order, balances, history."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from doorbuster.contracts.bodies import Body
from doorbuster.kernel.deciding import deciding
from doorbuster.kernel.ids import OrderId, UserId
from doorbuster.kernel.refusals import Refusal
from doorbuster.points.history import EntryPosition
from doorbuster.points.model import Charged, ChargePoints, Entry, PaymentState, charge, decide, users_needed
from doorbuster.points.ports import BalanceSource, ChargeRepository, EntrySource, PaymentRepository

LONGEST_PAGE = 100


class PaymentService:
    """What the payment group does with a batch: spends points on orders, or gives them back (R14)."""

    async def handle(self, repository: PaymentRepository, bodies: Sequence[Body], now: datetime) -> Sequence[Body]:
        """Spend or restore what the bodies ask for; return the answers."""
        payments = await repository.claim({OrderId(body.order_id) for body in bodies}, now)
        with deciding():
            users = users_needed(payments, bodies)
        state = PaymentState(payments=payments, balances=await repository.lock_balances(users))
        with deciding():
            decision = decide(state, bodies, now)
        await repository.save(state, decision)
        return decision.events


class ChargeService:
    """Adds points to users' balances."""

    async def handle(
        self, repository: ChargeRepository, commands: Sequence[ChargePoints], now: datetime
    ) -> Sequence[Charged | Refusal]:
        """Charge what the commands ask for; return the outcomes in their order."""
        balances = await repository.lock_balances({command.user_id for command in commands})
        with deciding():
            decision = charge(balances, commands, now)
        await repository.save_charges(balances, decision)
        return decision.outcomes


class BalanceQueries:
    """Reads of balances, many users at once."""

    def __init__(self, source: BalanceSource) -> None:
        """Read from this source."""
        self._source = source

    async def find(self, user_ids: Collection[UserId]) -> Mapping[UserId, int]:
        """Return the balances of the users that have one, in points."""
        async with self._source.reading() as balances:
            return await balances.find(user_ids)


class EntryQueries:
    """Reads of a user's own entries."""

    def __init__(self, source: EntrySource) -> None:
        """Read from this source."""
        self._source = source

    async def page(
        self, user_id: UserId, *, before: EntryPosition | None = None, limit: int = LONGEST_PAGE
    ) -> Sequence[Entry]:
        """Return a user's entries behind `before`, newest first; at most 100, also if `limit` is more.

        An entry carries the time at which its transaction began. So one that is committed while somebody turns the
        pages may stand behind the newest that were shown already; whoever begins anew sees it.
        """
        async with self._source.reading() as entries:
            return await entries.page(user_id, before, min(limit, LONGEST_PAGE))
