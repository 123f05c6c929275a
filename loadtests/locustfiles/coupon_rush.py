"""What `locust -f loadtests/locustfiles/coupon_rush.py --headless` runs; LOADTEST_* say against whom and how."""

from loadtests.scenarios.coupon_rush import CouponRushOnce

__all__ = ["CouponRushOnce"]
