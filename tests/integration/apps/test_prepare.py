import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from sqlalchemy import text

from doorbuster.bootstrap.prepare import Preparation, SeedProfile, prepare
from doorbuster.infra.kafka import topics_admin
from doorbuster.infra.kafka.topics_admin import TopicsDiffer
from doorbuster.infra.mysql.database import Database
from doorbuster.infra.mysql.migrations import connected
from doorbuster.infra.mysql.seeding import seed
from doorbuster.kernel.errors import NotAccepted
from doorbuster.points.seed import UserSeed
from doorbuster.products.seed import CatalogueSeed
from doorbuster.settings import KafkaSettings, MySqlSettings, Settings

pytestmark = pytest.mark.integration

TEST = Preparation(profile=SeedProfile.TEST, partitions=3)
CONTENTS = {
    "products": "SELECT COUNT(*), MIN(price), MAX(price) FROM products",
    "stock": "SELECT COUNT(*), SUM(supplied), SUM(available) FROM stock",
    "users": "SELECT COUNT(*), SUM(balance) FROM point_balances",
    "entries": "SELECT COUNT(*), SUM(amount) FROM point_entries",
    "coupons": "SELECT COUNT(*), MIN(total), SUM(issued) FROM coupons WHERE valid_until > UTC_TIMESTAMP()",
}


def contents(settings: Settings) -> dict[str, tuple[int, ...]]:
    with connected(settings.mysql) as connection:
        return {
            name: tuple(int(value or 0) for value in connection.execute(text(query)).one())
            for name, query in CONTENTS.items()
        }


def execute(settings: Settings, statement: str) -> None:
    with connected(settings.mysql) as connection:
        connection.execute(text(statement))


def partitions(settings: Settings) -> dict[str, int]:
    admin = AdminClient({"bootstrap.servers": settings.kafka.servers, "log_level": 0})
    return {name: len(topic.partitions) for name, topic in admin.list_topics(timeout=10).topics.items()}


async def test_it_makes_topics_tables_and_the_profiles_data(empty_tables: Settings, topics: frozenset[str]) -> None:
    await prepare(empty_tables, TEST)

    assert contents(empty_tables) == {
        "products": (20, 100, 9_992),
        # One of the products is scarce.
        "stock": (20, 19_005, 19_005),
        "users": (20, 20_000_000),
        "entries": (40, 0),
        "coupons": (3, 500, 0),
    }
    assert topics <= partitions(empty_tables).keys()


async def test_another_run_changes_nothing_that_was_sold_or_spent(
    empty_tables: Settings, topics: frozenset[str]
) -> None:
    await prepare(empty_tables, TEST)
    execute(empty_tables, "UPDATE stock SET available = available - 3 WHERE product_id = 1")
    execute(empty_tables, "UPDATE point_balances SET balance = 7 WHERE user_id = 1")
    execute(empty_tables, "UPDATE products SET price = 1 WHERE id = 9")
    before = contents(empty_tables)

    await prepare(empty_tables, TEST)

    assert contents(empty_tables) == before


async def test_a_run_that_was_ended_goes_on_where_it_was(database: Database, empty_tables: Settings) -> None:
    await seed(database, CatalogueSeed(count=1_500, units=10))
    await seed(database, UserSeed(count=700, points=5))

    assert await seed(database, CatalogueSeed(count=2_500, units=10)) == 1_000
    assert await seed(database, UserSeed(count=1_400, points=5)) == 700
    assert contents(empty_tables)["stock"] == (2_500, 24_995, 24_995)
    assert contents(empty_tables)["users"] == (1_400, 7_000)
    assert contents(empty_tables)["entries"] == (2_800, 0)


async def test_the_profile_prod_loads_nothing(empty_tables: Settings, topics: frozenset[str]) -> None:
    await prepare(empty_tables, Preparation(profile=SeedProfile.PROD, partitions=3))

    assert contents(empty_tables)["products"][0] == contents(empty_tables)["users"][0] == 0


async def test_the_number_of_partitions_is_not_changed_by_chance(
    empty_tables: Settings, topics: frozenset[str]
) -> None:
    with pytest.raises(TopicsDiffer, match="order-created has 3, asked for 6"):
        await prepare(empty_tables, Preparation(profile=SeedProfile.PROD, partitions=6))


async def test_partitions_are_added_on_purpose_while_nothing_waits(
    empty_tables: Settings, topics: frozenset[str]
) -> None:
    await prepare(empty_tables, Preparation(profile=SeedProfile.PROD, partitions=6, allow_grow=True))

    assert partitions(empty_tables)["order-created"] == 6


async def test_partitions_are_not_added_while_records_wait(empty_tables: Settings, topics: frozenset[str]) -> None:
    producer = Producer({"bootstrap.servers": empty_tables.kafka.servers, "log_level": 0})
    producer.produce("order-created", value=b"waits")
    assert producer.flush(20) == 0

    with pytest.raises(TopicsDiffer, match="1 records wait for stock-service-group"):
        await prepare(empty_tables, Preparation(profile=SeedProfile.PROD, partitions=6, allow_grow=True))
    assert partitions(empty_tables)["order-created"] == 3


async def test_a_server_that_never_answers_is_named(migrated: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topics_admin, "REQUEST_SECONDS", 1.0)
    impatient = Preparation(profile=SeedProfile.PROD, partitions=3, patience_seconds=0)
    no_mysql = migrated.model_copy(update={"mysql": MySqlSettings(port=1)})
    no_kafka = migrated.model_copy(update={"kafka": KafkaSettings(servers="127.0.0.1:1")})

    with pytest.raises(NotAccepted, match=r"waited 0 s for the MySQL primary: 127\.0\.0\.1"):
        await prepare(no_mysql, impatient)
    with pytest.raises(NotAccepted, match="waited 0 s for Kafka"):
        await prepare(no_kafka, impatient)
