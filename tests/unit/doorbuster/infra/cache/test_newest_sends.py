import asyncio
from collections.abc import Mapping

from doorbuster.infra.cache.newest_sends import NewestSends


class Receiver:
    """Takes values, as fast as a test lets it."""

    def __init__(self) -> None:
        self.sent: list[Mapping[str, int]] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def send(self, values: Mapping[str, int]) -> None:
        self.sent.append(values)
        await self.may_answer.wait()


async def test_a_value_is_sent_and_once() -> None:
    receiver = Receiver()
    sends = NewestSends(receiver.send, name="test")

    sends.add({"a": 1})
    await sends.drain()
    await sends.drain()

    assert receiver.sent == [{"a": 1}]


async def test_what_comes_during_a_send_goes_together_the_newest_of_each_key() -> None:
    receiver = Receiver()
    sends = NewestSends(receiver.send, name="test")
    receiver.may_answer.clear()
    sends.add({"a": 1})
    await asyncio.sleep(0)
    for values in ({"a": 2, "b": 1}, {"c": 1}, {"a": 3}):
        sends.add(values)
        await asyncio.sleep(0)
    receiver.may_answer.set()
    await sends.drain()

    assert receiver.sent == [{"a": 1}, {"a": 3, "b": 1, "c": 1}]


async def test_what_waits_is_bounded() -> None:
    receiver = Receiver()
    sends = NewestSends(receiver.send, name="test", bound=lambda waiting: dict(sorted(waiting.items())[:2]))
    receiver.may_answer.clear()
    sends.add({"z": 0})
    await asyncio.sleep(0)
    sends.add({"c": 1, "b": 1})
    sends.add({"a": 1})
    receiver.may_answer.set()
    await sends.drain()

    assert receiver.sent == [{"z": 0}, {"a": 1, "b": 1}]
