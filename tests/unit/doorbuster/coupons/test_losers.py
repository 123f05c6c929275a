from doorbuster.coupons.losers import MOST_LOSERS, RecentLosers
from doorbuster.kernel.ids import UserId
from tests.unit.doorbuster.coupons.issues import COUPON, OTHER, Clock


def test_who_lost_is_known_for_a_tenth_of_a_second() -> None:
    clock = Clock()
    losers = RecentLosers(clock)
    losers.remember(COUPON, [UserId(1)])

    clock.seconds = 0.099
    assert losers.know((COUPON, UserId(1)))
    clock.seconds = 0.1
    assert not losers.know((COUPON, UserId(1)))


def test_others_are_not_known_and_neither_are_other_coupons() -> None:
    losers = RecentLosers(Clock())
    losers.remember(COUPON, [UserId(1)])

    assert not losers.know((COUPON, UserId(2)))
    assert not losers.know((OTHER, UserId(1)))


def test_a_coupon_that_has_units_again_has_no_losers() -> None:
    losers = RecentLosers(Clock())
    losers.remember(COUPON, [UserId(1)])
    losers.remember(OTHER, [UserId(1)])

    losers.forget(COUPON)

    assert not losers.know((COUPON, UserId(1)))
    assert losers.know((OTHER, UserId(1)))


def test_who_has_the_coupon_is_no_loser_of_it() -> None:
    losers = RecentLosers(Clock())
    losers.remember(COUPON, [UserId(1), UserId(2)])
    losers.remember(OTHER, [UserId(1)])

    losers.forget_holder((COUPON, UserId(1)))
    losers.forget_holder((COUPON, UserId(9)))

    assert not losers.know((COUPON, UserId(1)))
    assert losers.know((COUPON, UserId(2)))
    assert losers.know((OTHER, UserId(1)))


def test_who_loses_again_is_known_again_from_then_on() -> None:
    clock = Clock()
    losers = RecentLosers(clock)
    losers.remember(COUPON, [UserId(1), UserId(2)])
    clock.seconds = 0.09
    losers.remember(COUPON, [UserId(1)])

    clock.seconds = 0.15
    losers.remember(COUPON, [UserId(3)])

    assert losers.know((COUPON, UserId(1)))
    assert not losers.know((COUPON, UserId(2)))


def test_the_memory_is_bounded() -> None:
    losers = RecentLosers(Clock())

    losers.remember(COUPON, map(UserId, range(1, MOST_LOSERS + 11)))

    assert not losers.know((COUPON, UserId(10)))
    assert losers.know((COUPON, UserId(11)))
