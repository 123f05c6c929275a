"""Mistakes that are planted on purpose: a checker that misses one of them proves nothing."""

from enum import StrEnum


class Violation(AssertionError):
    """An invariant doesn't hold."""


class Defect(StrEnum):
    """One mistake each; the world is right without them."""

    LOST_UPDATE = "stock and balances are read without a lock"
    OFFSET_FIRST = "offsets are committed before the transaction"
    EFFECT_REPEATED = "processed messages are not remembered, and counting sales has no natural key"
    COMPENSATED_TWICE = "a released reservation is released again by the next cancel"
    NO_TOMBSTONE = "a cancel before its order leaves nothing behind"
    FLOW_IGNORES_PIVOT = "an order is failed although its payment was requested"
    PAYMENT_IGNORES_PIVOT = "a paid payment is called cancelled when asked to cancel"
    SPENT_TWICE = "a payment that was made is made again by the next request"
    SENT_BEFORE_COMMIT = "events leave before the transaction that they speak of"
    RELAY_MARKS_FIRST = "the relay marks messages as published before it publishes them"
    COMPENSATED_TOO_SOON = "a failed order counts as compensated at its first answer"
