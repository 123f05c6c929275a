from prometheus_client import CollectorRegistry

from doorbuster.contracts.topics import Group, Topic
from doorbuster.infra.kafka.lag import GroupState, KafkaState, PartitionState, group_state
from doorbuster.infra.kafka.lag_collector import STALE_SECONDS, KafkaCollector


def partition(oldest: int | None = 0, end: int | None = 100, *, in_sync: int = 3) -> PartitionState:
    return PartitionState(leader=1, replicas=3, in_sync=in_sync, oldest=oldest, end=end)


def test_a_group_of_ours_that_has_committed_nothing_has_everything_before_it() -> None:
    partitions = {(Topic.PROCESS_PAYMENT.value, 0): partition(oldest=40)}
    state = group_state(Group.PAYMENT, members=1, committed={}, partitions=partitions)

    assert state.lag == {("process-payment", 0): 60}
    assert state.committed == {}


def test_a_foreign_group_has_a_lag_only_where_it_has_committed() -> None:
    state = group_state(
        "foreign", members=0, committed={("t", 0): 70}, partitions={("t", 0): partition(), ("t", 1): partition()}
    )

    assert state.lag == {("t", 0): 30}


def test_records_that_are_no_more_are_no_lag() -> None:
    state = group_state("foreign", members=0, committed={("t", 0): 10}, partitions={("t", 0): partition(oldest=90)})

    assert state.lag == {("t", 0): 10}


def test_a_lag_is_never_negative() -> None:
    state = group_state("foreign", members=0, committed={("t", 0): 101}, partitions={("t", 0): partition()})

    assert state.lag == {("t", 0): 0}


def test_without_a_known_end_there_is_no_lag() -> None:
    state = group_state("foreign", members=0, committed={("t", 0): 1}, partitions={("t", 0): partition(end=None)})

    assert state.lag == {}


class Clock:
    seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def served(clock: Clock, state: KafkaState) -> CollectorRegistry:
    collector = KafkaCollector(clock)
    registry = CollectorRegistry()
    registry.register(collector)
    collector.remember(state, read_at=clock.seconds)
    return registry


GROUP = GroupState(members=2, committed={("t", 0): 70, ("t", 1): 1}, lag={("t", 0): 30, ("t", 1): 5})
STATE = KafkaState(
    brokers=3,
    partitions={("t", 0): partition(), ("t", 1): partition(end=6, in_sync=2)},
    groups={"g": GROUP},
    unanswered=[],
)


def test_samples_have_the_names_and_labels_of_kafka_exporter() -> None:
    registry = served(Clock(), STATE)
    place = {"topic": "t", "partition": "1"}
    in_group = {"consumergroup": "g", **place}

    assert registry.get_sample_value("kafka_brokers") == 3
    assert registry.get_sample_value("kafka_topic_partitions", {"topic": "t"}) == 2
    assert registry.get_sample_value("kafka_topic_partition_current_offset", place) == 6
    assert registry.get_sample_value("kafka_topic_partition_in_sync_replica", place) == 2
    assert registry.get_sample_value("kafka_topic_partition_under_replicated_partition", place) == 1
    assert registry.get_sample_value("kafka_consumergroup_current_offset", in_group) == 1
    assert registry.get_sample_value("kafka_consumergroup_lag", in_group) == 5
    assert registry.get_sample_value("kafka_consumergroup_lag_sum", {"consumergroup": "g", "topic": "t"}) == 35
    assert registry.get_sample_value("kafka_consumergroup_members", {"consumergroup": "g"}) == 2


def test_samples_say_how_old_they_are() -> None:
    clock = Clock()
    registry = served(clock, STATE)
    clock.seconds += 7

    assert registry.get_sample_value("kafka_exporter_sample_age_seconds") == 7


def test_samples_that_are_too_old_are_not_served() -> None:
    clock = Clock()
    registry = served(clock, STATE)
    clock.seconds += STALE_SECONDS + 1

    assert list(registry.collect()) == []


def test_before_the_first_reading_nothing_is_served() -> None:
    assert list(KafkaCollector(Clock()).collect()) == []
