"""Follows the messages of overdue sagas: where the relay put them, and how far their readers are (R15)."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from doorbuster.contracts.topics import Group
from doorbuster.kernel.errors import BrokerUnavailable
from doorbuster.kernel.ids import OrderId
from doorbuster.orders.model import Saga
from doorbuster.orders.ports import CommittedOffsets, Published, WatchRepository
from doorbuster.orders.watch import Lookup, Sighting, Trail, lookups

Trails = Mapping[OrderId, Sequence[Trail]]

_READERS = (Group.STOCK, Group.COUPON, Group.PAYMENT, Group.ORDER_FLOW)
_Messages = Mapping[tuple[OrderId, str], Published]


@dataclass(slots=True)
class TrailReader:
    """Reads the trails of one look; asks for the groups' offsets once, and only if there is a saga to look at."""

    offsets: CommittedOffsets
    _committed: dict[Group, Mapping[tuple[str, int], int]] = field(default_factory=dict)

    async def read(self, repository: WatchRepository, sagas: Sequence[Saga]) -> Trails:
        """Return the trails of each saga's lookups.

        Offsets are read before messages: whoever has committed past a command by then has stored its answer, so the
        answer is among the messages. The other way round a step that is answered in between would look lost.
        """
        wanted = {saga.order.id: lookups(saga) for saga in sagas}
        if wanted and not self._committed:
            found = await asyncio.gather(*map(self._read_offsets, _READERS))
            self._committed = dict(zip(_READERS, found, strict=True))
        messages = await repository.newest_messages(wanted.keys())
        return {
            order_id: [self._trail(order_id, lookup, messages) for lookup in those]
            for order_id, those in wanted.items()
        }

    async def _read_offsets(self, group: Group) -> Mapping[tuple[str, int], int]:
        try:
            return await self.offsets.committed(group)
        except BrokerUnavailable:
            # Unknown is not zero; the business deadline needs no offsets.
            return {}

    def _trail(self, order_id: OrderId, lookup: Lookup, messages: _Messages) -> Trail:
        command = messages.get((order_id, lookup.command_type))
        answers = [found for kind in lookup.answer_types if (found := messages.get((order_id, kind))) is not None]
        answer = max(answers, key=lambda found: found.seq, default=None)
        return Trail(
            participant=lookup.participant,
            command=self._sighting(command, lookup.group),
            answer=self._sighting(answer, Group.ORDER_FLOW),
        )

    def _sighting(self, published: Published | None, reader: Group) -> Sighting | None:
        if published is None:
            return None
        if published.offset is None or published.partition is None:
            return Sighting(offset=None, committed=None)
        committed = self._committed.get(reader, {}).get((published.topic, published.partition))
        return Sighting(offset=published.offset, committed=committed)
