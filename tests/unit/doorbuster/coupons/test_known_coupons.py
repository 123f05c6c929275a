from dataclasses import replace
from datetime import timedelta

from doorbuster.coupons.known_coupons import FRESH_SECONDS, MOST_KNOWN, KnownCoupons
from doorbuster.kernel.ids import CouponId
from tests.unit.doorbuster.coupons.issues import COUPON, NOW, OTHER, UNKNOWN, Clock, MemoryCoupons, coupon


async def test_a_coupon_is_read_once_a_second() -> None:
    source, clock = MemoryCoupons(), Clock()
    known = KnownCoupons(source, monotonic=clock)

    for _ in range(3):
        assert (await known.find([COUPON, UNKNOWN]))[COUPON].coupon == coupon()
    assert source.reads == 1

    clock.seconds = FRESH_SECONDS
    await known.find([COUPON])
    assert source.reads == 2


async def test_what_does_not_exist_is_known_as_well() -> None:
    known = KnownCoupons(MemoryCoupons(), monotonic=Clock())

    assert (await known.find([UNKNOWN]))[UNKNOWN].coupon is None


async def test_another_epoch_is_told() -> None:
    source, clock = MemoryCoupons(), Clock()
    source.coupons[OTHER] = coupon(OTHER)
    changed: list[CouponId] = []
    known = KnownCoupons(source, monotonic=clock, changed=changed.append)
    await known.find([COUPON, OTHER])

    source.coupons[COUPON] = replace(source.coupons[COUPON], epoch=2)
    clock.seconds = FRESH_SECONDS
    await known.find([COUPON, OTHER])

    assert changed == [COUPON]


async def test_invented_ids_do_not_fill_the_memory_and_do_not_hurt_the_question_in_hand() -> None:
    known = KnownCoupons(MemoryCoupons(), monotonic=Clock())
    for first in range(10, MOST_KNOWN, 1_000):
        await known.find([CouponId(each) for each in range(first, first + 1_000)])

    found = await known.find([COUPON, *(CouponId(each) for each in range(20_000, 20_100))])

    assert found[COUPON].coupon == coupon()
    assert len(found) == 101


async def test_a_sale_has_surely_not_begun_only_until_its_beginning_by_either_clock() -> None:
    source, clock = MemoryCoupons(), Clock()
    source.coupons[COUPON] = replace(coupon(), valid_from=NOW + timedelta(milliseconds=300))
    known = KnownCoupons(source, monotonic=clock)
    found = await known.find([COUPON, UNKNOWN])

    assert found[COUPON].surely_not_yet(0.299)
    assert not found[COUPON].surely_not_yet(0.3)
    assert not found[UNKNOWN].surely_not_yet(0.0)
