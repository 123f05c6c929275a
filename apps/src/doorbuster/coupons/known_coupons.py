"""What this process knows of the coupons that are asked for: which epoch a gate must have, and whether the sale is on.

A second old at most, and never the reason why somebody is given a coupon.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from doorbuster.coupons.coupon import Coupon
from doorbuster.coupons.issue_ports import CouponSource
from doorbuster.kernel.ids import CouponId

FRESH_SECONDS = 1.0
# Whoever asks for ids that don't exist must not fill the memory; what is forgotten is read again.
MOST_KNOWN = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A coupon as it was when it was read.

    Attributes:
        coupon: None if there was no such coupon.
        now: the moment of reading, by the database's clock.
        read_at: the same moment, by the process's.
    """

    coupon: Coupon | None
    now: datetime
    read_at: float

    def surely_not_yet(self, at: float) -> bool:
        """Tell whether the sale hasn't begun at the process's time `at`: both clocks go equally fast."""
        return self.coupon is not None and self.now + timedelta(seconds=at - self.read_at) < self.coupon.valid_from


class KnownCoupons:
    """Reads coupons once a second, however many ask for them."""

    def __init__(
        self,
        source: CouponSource,
        *,
        monotonic: Callable[[], float],
        changed: Callable[[CouponId], None] = lambda _: None,
    ) -> None:
        """Know nothing yet.

        Args:
            source: the primary.
            monotonic: seconds that only grow.
            changed: called with a coupon that has another epoch than before: a restock, or a gate that was rebuilt.
        """
        self._source = source
        self._monotonic = monotonic
        self._changed = changed
        self._known: dict[CouponId, Known] = {}

    async def find(self, coupon_ids: Collection[CouponId]) -> Mapping[CouponId, Known]:
        """Return what is known of each coupon; one query if any of it isn't fresh.

        Raises:
            NotAccepted: the primary can't be asked.
        """
        at = self._monotonic()
        known = {each: self._known[each] for each in coupon_ids if self._is_fresh(each, at)}
        missing = set(coupon_ids) - known.keys()
        if missing:
            found = await self._source.find(missing)
            for coupon_id in missing:
                # As old as the question: what the answer says may have changed since.
                known[coupon_id] = Known(coupon=found.coupons.get(coupon_id), now=found.now, read_at=at)
                self._learn(coupon_id, known[coupon_id])
        return known

    def _is_fresh(self, coupon_id: CouponId, now: float) -> bool:
        known = self._known.get(coupon_id)
        return known is not None and now - known.read_at < FRESH_SECONDS

    def _learn(self, coupon_id: CouponId, known: Known) -> None:
        before = self._known.get(coupon_id)
        if before is None and len(self._known) >= MOST_KNOWN:
            self._known.clear()
        self._known[coupon_id] = known
        if before is not None and _epoch(before) != _epoch(known):
            self._changed(coupon_id)


def _epoch(known: Known) -> int | None:
    return None if known.coupon is None else known.coupon.epoch
