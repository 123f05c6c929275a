from uuid import UUID

import pytest

from doorbuster.bootstrap.consumers import CONSUMERS, ConsumerName, only, parts_of
from doorbuster.contracts.bodies import Body, CouponIssued, CouponNone
from doorbuster.contracts.topics import READ_BY, Group
from doorbuster.kernel.errors import UnknownMessage
from doorbuster.settings import KafkaSettings, PartnerSettings, Settings

# Nothing listens on port 1, and nothing may be asked before the parts are used.
NOWHERE = KafkaSettings(servers="127.0.0.1:1")


def test_every_group_has_one_consumer() -> None:
    assert set(CONSUMERS) == set(ConsumerName)
    assert sorted(consumer.group for consumer in CONSUMERS.values()) == sorted(Group)
    assert {consumer.group: tuple(consumer.topics) for consumer in CONSUMERS.values()} == dict(READ_BY)


def test_a_group_of_the_saga_gets_bodies_about_orders_and_no_others() -> None:
    about_an_order = CouponNone(order_id=UUID(int=1))
    about_an_issue = CouponIssued(issue_id=UUID(int=2), coupon_id=3, user_id=4)

    assert only(Body, [about_an_order]) == [about_an_order]
    with pytest.raises(UnknownMessage, match="among 2 messages 1 are not for this group"):
        only(Body, [about_an_order, about_an_issue])


async def test_only_external_data_has_something_beside_it_and_only_with_a_partner() -> None:
    beside = {}
    for name in ConsumerName:
        for address in (None, "http://127.0.0.1:1/orders"):
            settings = Settings(kafka=NOWHERE, partner=PartnerSettings(address=address))
            async with parts_of(name, settings) as parts:
                beside[name, address] = len(parts.companions)
                parts.source.close()

    assert {key for key, count in beside.items() if count} == {
        (ConsumerName.EXTERNAL_DATA, "http://127.0.0.1:1/orders")
    }
