"""What is made of brokers' answers about groups; the answers have the shape that aiokafka gives them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
from aiokafka.errors import NodeNotReadyError
from aiokafka.protocol.admin import DescribeGroupsRequest, ListGroupsRequest
from aiokafka.protocol.api import Request
from aiokafka.protocol.commit import OffsetFetchRequest

from doorbuster.infra.kafka import groups
from doorbuster.infra.kafka.groups import ConsumerGroups, KnownGroup
from doorbuster.kernel.errors import BrokerUnavailable
from doorbuster.settings import KafkaSettings

NOT_COORDINATOR = 16
LOADING = 14
TEN = KnownGroup(members=1, committed={("t", 0): 10})


@dataclass
class Broker:
    """Answers as Kafka does; by default it coordinates one group that has committed 10 and has one member."""

    names: Sequence[str] = ("g",)
    list_code: int = 0
    describe_code: int = 0
    fetch_code: int = 0
    partition_code: int = 0
    offset: int = 10
    coordinates: tuple[int, int] = (0, 0)
    silent: bool = False

    def answer(self, question: Request) -> object:
        if self.silent:
            raise NodeNotReadyError("gone")
        if isinstance(question, ListGroupsRequest):
            return SimpleNamespace(error_code=self.list_code, groups=[(name, "consumer") for name in self.names])
        if isinstance(question, DescribeGroupsRequest):
            return SimpleNamespace(groups=[(self.describe_code, "g", "Stable", "consumer", "range", ["a member"])])
        if isinstance(question, OffsetFetchRequest):
            rows = [(0, self.offset, "", self.partition_code)]
            return SimpleNamespace(error_code=self.fetch_code, topics=[] if self.fetch_code else [("t", rows)])
        code, broker = self.coordinates
        return SimpleNamespace(error_code=code, coordinator_id=broker)


@dataclass
class Cluster:
    """A client of brokers by number."""

    of: Mapping[int, Broker]
    closed: int = 0
    connected: int = 0

    @property
    def cluster(self) -> SimpleNamespace:
        return SimpleNamespace(brokers=lambda: [SimpleNamespace(nodeId=number) for number in self.of])

    async def send(self, broker: int, question: Request) -> object:
        return self.of[broker].answer(question)

    async def close(self) -> None:
        self.closed += 1


def asked(monkeypatch: pytest.MonkeyPatch, *brokers: Broker) -> tuple[ConsumerGroups, Cluster]:
    cluster = Cluster(of=dict(enumerate(brokers)))

    async def connect(_settings: KafkaSettings) -> Cluster:
        cluster.connected += 1
        return cluster

    monkeypatch.setattr(groups, "_connect", connect)
    return ConsumerGroups(KafkaSettings(servers="nowhere")), cluster


async def test_each_broker_tells_of_its_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, _ = asked(monkeypatch, Broker(names=["a"]), Broker(names=[]), Broker(names=["b", "c"], offset=-1))

    known = await reader.read()

    nothing = KnownGroup(members=1, committed={})
    assert known.groups == {"a": TEN, "b": nothing, "c": nothing}
    assert known.unanswered == []


async def test_a_broker_that_is_gone_leaves_what_the_others_say(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, cluster = asked(monkeypatch, Broker(names=["a"]), Broker(silent=True), Broker(list_code=LOADING))

    known = await reader.read()

    assert known.groups == {"a": TEN}
    assert [sentence.split(":")[0] for sentence in known.unanswered] == ["broker 1", "broker 2"]
    assert cluster.closed == 0


@pytest.mark.parametrize(
    "broker",
    [Broker(fetch_code=NOT_COORDINATOR), Broker(partition_code=LOADING), Broker(describe_code=NOT_COORDINATOR)],
    ids=["offsets", "one partition", "members"],
)
async def test_a_refusal_is_no_group_that_has_committed_nothing(
    monkeypatch: pytest.MonkeyPatch, broker: Broker
) -> None:
    reader, _ = asked(monkeypatch, broker)

    known = await reader.read()

    assert known.groups == {}
    (sentence,) = known.unanswered
    assert sentence.startswith("group g: ")


async def test_after_no_broker_answered_the_next_question_connects_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, cluster = asked(monkeypatch, Broker(silent=True), Broker(silent=True))

    for _ in range(2):
        with pytest.raises(BrokerUnavailable, match=r"broker 0: .*gone; broker 1: .*gone"):
            await reader.read()

    assert (cluster.connected, cluster.closed) == (2, 2)


async def test_the_coordinator_is_asked_whom_the_first_broker_names_that_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, _ = asked(
        monkeypatch, Broker(silent=True), Broker(coordinates=(LOADING, -1)), Broker(coordinates=(0, 3)), Broker()
    )

    assert await reader.committed("g") == {("t", 0): 10}


async def test_a_coordinator_that_is_none_any_more_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, _ = asked(monkeypatch, Broker(coordinates=(0, 0), fetch_code=NOT_COORDINATOR))

    with pytest.raises(BrokerUnavailable, match="the offsets of g are not known"):
        await reader.committed("g")


async def test_a_group_that_no_broker_can_place_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, cluster = asked(monkeypatch, Broker(coordinates=(LOADING, -1)), Broker(silent=True))

    with pytest.raises(BrokerUnavailable, match="who coordinates g"):
        await reader.committed("g")

    assert cluster.closed == 1
