"""Coupons of the seed profiles: few, so that whoever tries the platform out can be given one and redeem it."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.coupons.coupon import FIRST_EPOCH, Coupon, CouponKind
from doorbuster.coupons.coupon_rows import coupon_values
from doorbuster.coupons.tables import coupons
from doorbuster.infra.mysql import rows
from doorbuster.infra.mysql.transactions import database_time
from doorbuster.kernel.ids import CouponId

TENTH_OFF = CouponId(1)
"""Named `doorbuster-tenth-off`: ten percent, and more of them than seeded users."""
POINTS_OFF = CouponId(2)
"""Named `doorbuster-points-off`: 500 points off an order of 1,000 and more, likewise for everybody."""
FIRST_COME = CouponId(3)
"""Named `doorbuster-first-come`: half the price, and so few of them that they can be given away within seconds."""
FIRST_COME_UNITS = 500

_UNITS_FOR_EVERYBODY = 1_000_000
# No cluster with demo data lives that long.
_VALID_FOR = timedelta(days=3_650)
_NOT_MADE = datetime(1970, 1, 1, tzinfo=UTC)


def _coupon(coupon_id: CouponId, name: str, kind: CouponKind, value: int) -> Coupon:
    return Coupon(
        id=coupon_id,
        name=name,
        kind=kind,
        value=value,
        minimum_amount=0,
        total=_UNITS_FOR_EVERYBODY,
        issued=0,
        valid_from=_NOT_MADE,
        valid_until=_NOT_MADE,
        epoch=FIRST_EPOCH,
    )


SEEDED = (
    _coupon(TENTH_OFF, "doorbuster-tenth-off", CouponKind.PERCENTAGE, 10),
    replace(_coupon(POINTS_OFF, "doorbuster-points-off", CouponKind.FIXED, 500), minimum_amount=1_000),
    replace(_coupon(FIRST_COME, "doorbuster-first-come", CouponKind.PERCENTAGE, 50), total=FIRST_COME_UNITS),
)
"""By id, without their validity: that begins when they are made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponSeed:
    """The seeded coupons; the watch makes their gates within its next looks (R16).

    What is there stays as it is, whatever coupon it is.
    """

    count: int = len(SEEDED)
    name: str = "coupons"
    rows_per_item: int = 1

    async def write(self, connection: AsyncConnection, numbers: range) -> int:
        """Insert those of the coupons that are missing, and return how many that were."""
        there = select(coupons.c.id).where(coupons.c.id.between(numbers.start, numbers.stop - 1))
        missing = set(numbers) - set((await connection.execute(there)).scalars())
        now = await database_time(connection)
        made = [seeded_coupon(CouponId(number), now) for number in sorted(missing)]
        await rows.add(connection, coupons, [coupon_values(coupon) for coupon in made])
        return len(missing)


def seeded_coupon(coupon_id: CouponId, now: datetime) -> Coupon:
    """Return one of the seeded coupons as it is when it is made."""
    return replace(SEEDED[coupon_id - 1], valid_from=now, valid_until=now + _VALID_FOR)
