"""The scenarios that can be asked for. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Name(StrEnum):
    """The scenarios' names."""

    S1 = "s1"
    S3_SMOKE = "s3-smoke"
    S3_SPIKE = "s3-spike"
    S4 = "s4"
    S5 = "s5"


# In a sentence that a list shows.
TITLES: Mapping[Name, str] = MappingProxyType(
    {
        Name.S1: "50 requests a second for a minute: charge 100,000 points, then order products 1 to 5",
        Name.S3_SMOKE: "10 visitors for 30 s who want one of 500 coupons",
        Name.S3_SPIKE: "0 to 500 visitors in 10 s, 30 s, down in 10 s: 5,000 users want one of 500 coupons",
        Name.S4: "up to 100 orders a second in five minutes, over 1,000,000 users and products",
        Name.S5: "100 users look at 1,000 products each and order them, without caches and with them",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowding:
    """How a crowd comes, stays and leaves, and what it wants.

    Attributes:
        visitors: at the most.
        users: in whose names they ask, one after the other.
        coupons: how many there are.
        rise_seconds: from none to all.
        hold_seconds: while all are there.
        fall_seconds: from all to none.
    """

    visitors: int
    users: int
    coupons: int
    rise_seconds: float
    hold_seconds: float
    fall_seconds: float


# Each visitor thinks for a second: ten of them ask some 300 times, and everybody asks once.
SMOKE = Crowding(visitors=10, users=400, coupons=500, rise_seconds=0, hold_seconds=30, fall_seconds=0)
# About 20,000 asks: everybody asks four times, winners and losers.
SPIKE = Crowding(visitors=500, users=5_000, coupons=500, rise_seconds=10, hold_seconds=30, fall_seconds=10)
