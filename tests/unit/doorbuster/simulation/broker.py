"""Topics with partitions, and groups whose members lose and win them."""

from dataclasses import dataclass
from random import Random

from doorbuster.contracts.bodies import Body
from doorbuster.contracts.topics import READ_BY, Group, Topic

PARTITIONS = 2
MEMBERS = 2
READERS = {topic: tuple(group for group, topics in READ_BY.items() if topic in topics) for topic in Topic}


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
    """Records by topic and partition; committed offsets, owners, and what is ahead by group."""

    def __init__(self) -> None:
        self.log: dict[Place, list[Record]] = {(topic, n): [] for topic in Topic for n in range(PARTITIONS)}
        self.places = {
            group: [(topic, n) for topic in topics for n in range(PARTITIONS)] for group, topics in READ_BY.items()
        }
        self.ahead = dict.fromkeys(READ_BY, 0)
        self.committed: dict[tuple[Group, Place], int] = {}
        self.owner: dict[tuple[Group, Place], int] = {}
        self.published = 0
        self.rewind()

    def rewind(self) -> None:
        """Send every group back to the beginning of its topics."""
        for group, places in self.places.items():
            self.ahead[group] = sum(len(self.log[place]) for place in places)
            for place in places:
                self.committed[group, place] = 0
                self.owner[group, place] = place[1] % MEMBERS

    def publish(self, message_id: int, body: Body) -> tuple[int, int]:
        """Append a message, anywhere, as the relay does; return its partition and offset."""
        self.published += 1
        partition = self.published % PARTITIONS
        log = self.log[body.topic, partition]
        log.append(Record(body.topic, partition, len(log), message_id, body))
        for group in READERS[body.topic]:
            self.ahead[group] += 1
        return partition, len(log) - 1

    def poll(self, group: Group, member: int, rng: Random) -> list[Record]:
        """Return some records behind the committed offsets of the member's partitions."""
        records: list[Record] = []
        if not self.ahead[group]:
            return records
        most = rng.randrange(1, 6)
        for place in self.places[group]:
            if self.owner[group, place] == member:
                start = self.committed[group, place]
                records += self.log[place][start : start + most]
        return records

    def commit(self, group: Group, member: int, records: list[Record]) -> None:
        """Commit past the records, where the member still owns their partition (R10)."""
        for record in records:
            place = (record.topic, record.partition)
            past = record.offset + 1 - self.committed[group, place]
            if past > 0 and self.owner[group, place] == member:
                self.committed[group, place] += past
                self.ahead[group] -= past

    def rebalance(self, rng: Random) -> None:
        """Give a partition to another member; the one before may still be at work on it."""
        key = rng.choice(tuple(self.owner))
        self.owner[key] = (self.owner[key] + 1) % MEMBERS

    def lag(self) -> int:
        """Return how many records are ahead of their groups."""
        return sum(self.ahead.values())
