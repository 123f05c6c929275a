"""Topics with partitions, and groups whose members lose and win them."""

from dataclasses import dataclass
from random import Random

from doorbuster.contracts.bodies import Body
from doorbuster.contracts.topics import READ_BY, Group, Topic

PARTITIONS = 2
MEMBERS = 2


@dataclass(frozen=True)
class Record:
    """A message where it was published."""

    topic: Topic
    partition: int
    offset: int
    id: int
    body: Body


Place = tuple[Topic, int]


class Broker:
    """Records by topic and partition; committed offsets and owners by group."""

    def __init__(self) -> None:
        self.log: dict[Place, list[Record]] = {(topic, n): [] for topic in Topic for n in range(PARTITIONS)}
        self.committed: dict[tuple[Group, Place], int] = {}
        self.owner: dict[tuple[Group, Place], int] = {}
        self.published = 0
        self.rewind()

    def rewind(self) -> None:
        """Send every group back to the beginning of its topics."""
        for group, topics in READ_BY.items():
            for place in ((topic, n) for topic in topics for n in range(PARTITIONS)):
                self.committed[group, place] = 0
                self.owner[group, place] = place[1] % MEMBERS

    def publish(self, message_id: int, body: Body) -> tuple[int, int]:
        """Append a message, anywhere, as the relay does; return its partition and offset."""
        self.published += 1
        partition = self.published % PARTITIONS
        log = self.log[body.topic, partition]
        log.append(Record(body.topic, partition, len(log), message_id, body))
        return partition, len(log) - 1

    def poll(self, group: Group, member: int, rng: Random) -> list[Record]:
        """Return some records behind the committed offsets of the member's partitions."""
        records: list[Record] = []
        most = rng.randrange(1, 6)
        for topic in READ_BY[group]:
            for place in ((topic, n) for n in range(PARTITIONS)):
                if self.owner[group, place] == member:
                    start = self.committed[group, place]
                    records += self.log[place][start : start + most]
        return records

    def commit(self, group: Group, member: int, records: list[Record]) -> None:
        """Commit past the records, where the member still owns their partition (R10)."""
        for record in records:
            place = (record.topic, record.partition)
            if self.owner[group, place] == member:
                self.committed[group, place] = max(self.committed[group, place], record.offset + 1)

    def rebalance(self, rng: Random) -> None:
        """Give a partition to another member; the one before may still be at work on it."""
        key = rng.choice(tuple(self.owner))
        self.owner[key] = (self.owner[key] + 1) % MEMBERS

    def lag(self) -> int:
        """Return how many records are ahead of their groups."""
        return sum(len(self.log[place]) - offset for (_, place), offset in self.committed.items())
