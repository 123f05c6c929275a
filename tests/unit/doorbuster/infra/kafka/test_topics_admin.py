from doorbuster.contracts.topics import Topic
from doorbuster.infra.kafka.topics_admin import plans


def test_each_topic_has_as_many_partitions_as_asked_for_and_issues_of_coupons_ten() -> None:
    counts = {plan.name: plan.partitions for plan in plans(partitions=3, replication_factor=1)}

    assert counts == {
        **{topic.value: 3 for topic in Topic},
        "coupon-issued": 10,
        **{f"{topic.value}.dlt": 1 for topic in Topic},
    }
