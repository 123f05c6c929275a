"""Why a load test can't be begun, or can't be judged.

LoadTestError
├── RushMisconfigured    the environment doesn't describe a rush
├── TokensUnavailable    a shopper got no token, so the course was not begun
├── CouponsUnavailable   a shopper got no coupon, so the course was not begun
├── WitnessDamaged       a whole line of a witness can't be read
├── OrdersUnreadable     a shopper's orders can't be listed
├── ApiUnreadable        what else a shopper asks for at the end can't be read
└── ReportError          see reports/errors.py
"""


class LoadTestError(Exception):
    """What a person reads in one sentence."""


class RushMisconfigured(LoadTestError):
    """A variable LOADTEST_* is missing, or its value makes no sense."""


class TokensUnavailable(LoadTestError):
    """The development issuer doesn't hand out a token for every shopper."""


class CouponsUnavailable(LoadTestError):
    """A shopper who is to redeem a coupon can't have it issued."""


class WitnessDamaged(LoadTestError):
    """A line of a witness that was written to its end is no attempt."""


class OrdersUnreadable(LoadTestError):
    """The API doesn't tell which orders a shopper has."""


class ApiUnreadable(LoadTestError):
    """The API doesn't tell a shopper what it was asked for."""
