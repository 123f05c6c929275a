"""Has the gates of named coupons open before a sale, so that its losers don't fall onto the database (R16).

The watch does the same within its next looks; this is for whoever wants to know that it is done.
"""

from collections.abc import Sequence
from itertools import chain

from doorbuster.bootstrap.warmable import Warmed
from doorbuster.coupons.gate_upkeep import OLD_SECONDS, GateBuilder, Repair, judge
from doorbuster.coupons.issue_ports import CouponKeeping, GateRepair, GateState
from doorbuster.kernel.ids import CouponId


class Coupons:
    """Coupons whose gates are to be open."""

    kind = "coupons"

    def __init__(self, coupons: CouponKeeping, gate: GateRepair, ranges: Sequence[range]) -> None:
        """Take where coupons are kept, where their gates are, and which ones."""
        self._coupons = coupons
        self._gate = gate
        self._builder = GateBuilder(gate, coupons)
        self._ids = sorted({CouponId(number) for number in chain.from_iterable(ranges)})

    @property
    def count(self) -> int:
        """How many are named."""
        return len(self._ids)

    async def fill(self) -> Warmed:
        """Make the gates anew that are missing or wrong; `filled` are those that are open then.

        Raises:
            GateUnavailable: Redis doesn't answer.
            NotAccepted, OutcomeUnknown: the database doesn't.
        """
        found = (await self._coupons.find(self._ids)).coupons
        views = await self._gate.view(list(found), older_than_seconds=OLD_SECONDS)
        for coupon_id, coupon in found.items():
            if judge(coupon, views[coupon_id]) is Repair.REBUILD:
                await self._builder.rebuild(coupon_id, behind=views[coupon_id].epoch or 0)
        return Warmed(
            named=self.count, filled=await self._open(list(found)), unknown=self.count - len(found), outdated=0
        )

    async def _open(self, coupon_ids: Sequence[CouponId]) -> int:
        views = await self._gate.view(coupon_ids, older_than_seconds=OLD_SECONDS)
        coupons = (await self._coupons.find(coupon_ids)).coupons
        return sum(views[each].state(coupons[each].epoch) is GateState.OPEN for each in coupon_ids)
