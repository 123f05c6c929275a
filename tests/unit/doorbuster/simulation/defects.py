"""Mistakes that are planted on purpose: a checker that misses one of them proves nothing."""

from enum import StrEnum


class Violation(AssertionError):
    """An invariant doesn't hold."""


class Defect(StrEnum):
    """One mistake each; the world is right without them."""

    LOST_UPDATE = "stock, balances and coupons are read without a lock, so that a decrement isn't atomic"
    ACKNOWLEDGED_FIRST = "a buyer is told that the order is accepted before it is committed"
    OFFSET_FIRST = "offsets are committed before the transaction"
    DEDUPED_IN_MEMORY = "processed messages are remembered by the process only, and counting sales has no natural key"
    EFFECT_REPEATED = "processed messages are not remembered, and counting sales has no natural key"
    COMPENSATED_TWICE = "a released reservation is released again by the next cancel"
    NO_TOMBSTONE = "a cancel before its order leaves nothing behind in the stock group"
    NO_COUPON_TOMBSTONE = "a cancel before its order leaves nothing behind in the coupon group"
    COUPON_REDEEMED_TWICE = "an order redeems a coupon whatever other order does"
    COUPON_NOT_RELEASED = "a cancelled order keeps its coupon"
    COUPON_RELEASED_AGAIN = "a released coupon is released again by the next cancel, whoever redeems it now"
    DISCOUNT_FORGOTTEN = "payment is asked for the whole total"
    SPENT_WITHOUT_ENTRY = "points leave a balance without an entry"
    FLOW_IGNORES_PIVOT = "an order is failed although its payment was requested"
    PAYMENT_IGNORES_PIVOT = "a paid payment is called cancelled when asked to cancel"
    SPENT_TWICE = "a payment that was made is made again by the next request"
    SENT_BEFORE_COMMIT = "events leave before the transaction that they speak of"
    RELAY_MARKS_FIRST = "the relay marks messages as published before it publishes them"
    COMPENSATED_TOO_SOON = "a failed order counts as compensated at its first answer"
