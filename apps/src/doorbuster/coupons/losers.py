"""Who was told *sold out* a moment ago in this process: asking again costs neither Redis nor MySQL.

It remembers users and not coupons: somebody who holds the coupon and asks again must get his issue (R16), and only the
gate and the database know who does. Whoever was told *sold out* was no holder then.
"""

from collections.abc import Callable, Iterable

from doorbuster.coupons.issuing import Holder
from doorbuster.kernel.ids import CouponId, UserId

REMEMBER_SECONDS = 0.1
# At the rate at which one process answers, more than it tells within a tenth of a second.
MOST_LOSERS = 10_000


class RecentLosers:
    """Losers of the last tenth of a second, by coupon."""

    def __init__(self, monotonic: Callable[[], float], *, remember_seconds: float = REMEMBER_SECONDS) -> None:
        """Remember nobody yet.

        Args:
            monotonic: seconds that only grow.
            remember_seconds: so long who lost is told so again without a look.
        """
        self._monotonic = monotonic
        self._remember_seconds = remember_seconds
        # All are kept equally long, so the oldest stands first.
        self._until: dict[Holder, float] = {}

    def know(self, holder: Holder) -> bool:
        """Tell whether the user lost this coupon a moment ago."""
        until = self._until.get(holder)
        return until is not None and self._monotonic() < until

    def remember(self, coupon_id: CouponId, user_ids: Iterable[UserId]) -> None:
        """Note who was told just now that the coupon is sold out."""
        now = self._monotonic()
        for user_id in user_ids:
            # Taken out first: a key that is there keeps its place.
            self._until.pop((coupon_id, user_id), None)
            self._until[coupon_id, user_id] = now + self._remember_seconds
        self._drop(now)

    def forget(self, coupon_id: CouponId) -> None:
        """Note that the coupon has units again."""
        for holder in [each for each in self._until if each[0] == coupon_id]:
            del self._until[holder]

    def forget_holder(self, holder: Holder) -> None:
        """Note that the user has the coupon."""
        self._until.pop(holder, None)

    def _drop(self, now: float) -> None:
        while self._until:
            oldest = next(iter(self._until))
            if self._until[oldest] > now and len(self._until) <= MOST_LOSERS:
                return
            del self._until[oldest]
