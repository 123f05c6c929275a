"""The use case of the coupons: the coupon step of an order."""

from collections.abc import Sequence
from datetime import datetime

from doorbuster.contracts.bodies import Body
from doorbuster.coupons.model import CouponState, decide, needed
from doorbuster.coupons.ports import RedemptionRepository
from doorbuster.kernel.deciding import deciding
from doorbuster.kernel.ids import OrderId


class CouponService:
    """What the coupon group does with a batch: answers every order, also without a coupon (R14)."""

    async def handle(self, repository: RedemptionRepository, bodies: Sequence[Body], now: datetime) -> Sequence[Body]:
        """Redeem or release what the bodies ask for; return the answers."""
        redemptions = await repository.claim({OrderId(body.order_id) for body in bodies}, now)
        with deciding():
            wanted = needed(redemptions, bodies)
        state = CouponState(
            redemptions=redemptions,
            coupons=await repository.find_coupons(wanted.coupons),
            issues=await repository.lock_issues(wanted.holdings, wanted.issues),
        )
        with deciding():
            decision = decide(state, bodies, now)
        await repository.save(state, decision)
        return decision.events
