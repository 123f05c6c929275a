from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorbuster.coupons.coupon import Coupon, CouponKind
from doorbuster.kernel.ids import CouponId

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def coupon(kind: CouponKind, value: int, most: int | None = None) -> Coupon:
    return Coupon(
        id=CouponId(1),
        name="a tenth",
        kind=kind,
        value=value,
        most_discount=most,
        minimum_amount=0,
        total=1,
        issued=0,
        valid_from=NOW,
        valid_until=NOW + timedelta(days=1),
    )


@pytest.mark.parametrize(
    ("kind", "value", "most", "total", "discount"),
    [
        (CouponKind.FIXED, 500, None, 2_000, 500),
        (CouponKind.FIXED, 500, None, 500, 500),
        (CouponKind.FIXED, 500, None, 499, 499),
        (CouponKind.PERCENTAGE, 10, None, 1_999, 199),
        (CouponKind.PERCENTAGE, 10, None, 9, 0),
        (CouponKind.PERCENTAGE, 10, 150, 1_999, 150),
        (CouponKind.PERCENTAGE, 10, 200, 1_999, 199),
        (CouponKind.PERCENTAGE, 100, None, 1_999, 1_999),
        (CouponKind.PERCENTAGE, 33, None, 2**53, 2_972_375_754_064_527),
    ],
)
def test_discount_is_whole_points_within_its_bounds(
    kind: CouponKind, value: int, most: int | None, total: int, discount: int
) -> None:
    assert coupon(kind, value, most).discount(total) == discount


@given(
    kind=st.sampled_from(CouponKind),
    value=st.integers(1, 2**53),
    most=st.none() | st.integers(0, 2**53),
    total=st.integers(1, 2**53),
)
def test_discount_is_never_more_than_the_total_nor_negative(
    kind: CouponKind, value: int, most: int | None, total: int
) -> None:
    assert 0 <= coupon(kind, value, most).discount(total) <= total
