"""A consumer group: who has which partition, and the pause when that changes."""

from collections.abc import Iterable, Sequence
from random import Random

from tests.unit.doorbuster_operator.simulation.consumer import Consumer


class Group:
    """Deals partitions out by count; members keep what they have, as the sticky assignors do."""

    def __init__(self, partitions: int, *, pause_seconds: float, eager: bool, chance: Random) -> None:
        self._pause_seconds = pause_seconds
        self._eager = eager
        self._chance = chance
        self._owners: list[Consumer | None] = [None] * partitions
        self._paused_until = [0.0] * partitions
        self.members: list[Consumer] = []

    def join(self, consumers: Iterable[Consumer], now: float) -> None:
        self.members.extend(consumers)
        self._rebalance(now)

    def leave(self, consumers: Sequence[Consumer], now: float) -> None:
        self.members = [member for member in self.members if member not in consumers]
        self._rebalance(now)

    def assigned(self, consumer: Consumer, now: float) -> list[int]:
        """Return the partitions that it works on at this time."""
        return [
            number
            for number, owner in enumerate(self._owners)
            if owner is consumer and self._paused_until[number] <= now
        ]

    def _rebalance(self, now: float) -> None:
        before = list(self._owners)
        self._owners = self._dealt()
        for number, (old, new) in enumerate(zip(before, self._owners, strict=True)):
            if self._eager or old is not new:
                self._paused_until[number] = now + self._pause_seconds
                for consumer in (old, new):
                    if consumer is not None:
                        consumer.rebalances += 1

    def _dealt(self) -> list[Consumer | None]:
        owners: list[Consumer | None] = [owner if owner in self.members else None for owner in self._owners]
        if not self.members:
            return owners
        share, longer = divmod(len(owners), len(self.members))
        most_first = sorted(self.members, key=lambda member: -owners.count(member))
        quotas = {id(member): share + (turn < longer) for turn, member in enumerate(most_first)}
        for member in most_first:
            mine = [number for number, owner in enumerate(owners) if owner is member]
            for number in self._chance.sample(mine, max(0, len(mine) - quotas[id(member)])):
                owners[number] = None
        for number, owner in enumerate(owners):
            if owner is None:
                owners[number] = next(one for one in most_first if owners.count(one) < quotas[id(one)])
        return owners
