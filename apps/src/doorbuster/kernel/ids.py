"""Ids: UUIDv7 for what we make, integers for users, products and coupons (R19)."""

from collections.abc import Callable
from typing import NewType
from uuid import UUID

OrderId = NewType("OrderId", UUID)
MessageId = NewType("MessageId", UUID)
UserId = NewType("UserId", int)
ProductId = NewType("ProductId", int)
CouponId = NewType("CouponId", int)
IssueId = NewType("IssueId", UUID)

_VERSION = 7 << 76
_VARIANT = 0b10 << 62
_COUNTER_BITS = 12
_TAIL_BITS = 62


class IdFactory:
    """Makes UUIDv7 that increase in one process (RFC 9562, 5.7 and 6.2 method 1: a counter behind the milliseconds).

    They are never used to order events: two processes' clocks differ.
    """

    def __init__(self, milliseconds: Callable[[], int], random_bits: Callable[[int], int]) -> None:
        """Take time and randomness from outside.

        Args:
            milliseconds: the time since 1970 in milliseconds; may jump back.
            random_bits: returns a random integer of so many bits.
        """
        self._milliseconds = milliseconds
        self._random_bits = random_bits
        self._last = 0
        self._counter = 0

    def __call__(self) -> UUID:
        """Return the next id: greater than every one before it."""
        now = self._milliseconds()
        if now > self._last:
            self._last, self._counter = now, self._random_bits(_COUNTER_BITS - 1)
        else:
            self._counter += 1
            if self._counter >> _COUNTER_BITS:
                # More in one millisecond than the counter holds, or the clock stands: borrow from the future.
                self._last, self._counter = self._last + 1, 0
        tail = self._random_bits(_TAIL_BITS)
        return UUID(int=self._last << 80 | _VERSION | self._counter << 64 | _VARIANT | tail)
