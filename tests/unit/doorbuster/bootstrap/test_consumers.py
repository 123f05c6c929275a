from doorbuster.bootstrap.consumers import CONSUMERS, ConsumerName, parts_of
from doorbuster.contracts.topics import READ_BY, Group
from doorbuster.settings import KafkaSettings, PartnerSettings, Settings

# Nothing listens on port 1, and nothing may be asked before the parts are used.
NOWHERE = KafkaSettings(servers="127.0.0.1:1")


def test_every_group_has_one_consumer() -> None:
    assert set(CONSUMERS) == set(ConsumerName)
    assert sorted(consumer.group for consumer in CONSUMERS.values()) == sorted(Group)
    assert {consumer.group: tuple(consumer.topics) for consumer in CONSUMERS.values()} == dict(READ_BY)


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
