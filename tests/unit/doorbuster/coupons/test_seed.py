"""The coupons of the seed profiles."""

from datetime import UTC, datetime

import pytest

from doorbuster.coupons.coupon import Coupon
from doorbuster.coupons.coupon_rows import coupon_values
from doorbuster.coupons.seed import (
    FIRST_COME,
    FIRST_COME_UNITS,
    POINTS_OFF,
    SEEDED,
    TENTH_OFF,
    CouponSeed,
    seeded_coupon,
)
from doorbuster.kernel.ids import CouponId

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


def test_each_coupon_stands_at_its_number() -> None:
    made = [seeded_coupon(CouponId(number), NOW) for number in range(1, CouponSeed().count + 1)]

    assert [coupon.id for coupon in made] == [TENTH_OFF, POINTS_OFF, FIRST_COME]
    assert len({coupon.name for coupon in made}) == len(SEEDED)


@pytest.mark.parametrize("template", SEEDED)
def test_a_coupon_is_valid_from_the_moment_in_which_it_is_made(template: Coupon) -> None:
    coupon = seeded_coupon(template.id, NOW)

    assert coupon.valid_from == NOW
    assert coupon.valid_until > NOW
    assert coupon.issued == 0


def test_coupons_take_off_what_the_documents_say() -> None:
    tenth, points, first_come = (seeded_coupon(each, NOW) for each in (TENTH_OFF, POINTS_OFF, FIRST_COME))

    assert (tenth.discount(1_000), points.discount(2_000), first_come.discount(1_000)) == (100, 500, 500)
    assert points.minimum_amount == 1_000
    assert first_come.total == FIRST_COME_UNITS


def test_a_row_has_every_column() -> None:
    assert None not in (coupon_values(seeded_coupon(TENTH_OFF, NOW)) | {"most_discount": 0}).values()
