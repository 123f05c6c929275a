"""Use cases of the points: charging, the payment step of an order, balances."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from doorbuster.contracts.bodies import Body
from doorbuster.kernel.deciding import deciding
from doorbuster.kernel.ids import OrderId, UserId
from doorbuster.kernel.refusals import Refusal
from doorbuster.points.model import Charged, ChargePoints, PaymentState, charge, decide, users_needed
from doorbuster.points.ports import BalanceSource, ChargeRepository, PaymentRepository


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
