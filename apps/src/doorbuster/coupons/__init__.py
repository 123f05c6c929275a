"""The coupon step of the order saga."""
