"""The sold-out hint from the stock group's commit to the buyer's 409, and back by a release and a restock (R4)."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from redis.asyncio import Redis

from doorbuster.bootstrap.consumers import ConsumerName, Parts, parts_of
from doorbuster.bootstrap.top_up import TopUp, top_up
from doorbuster.contracts.bodies import Body, OrderCancelled, OrderCreated, OrderLine
from doorbuster.contracts.messages import Message, encode
from doorbuster.infra.cache.sold_out import KEY, RedisSoldOut
from doorbuster.infra.kafka.records import Record
from doorbuster.infra.mysql import rows
from doorbuster.infra.mysql.database import Database
from doorbuster.kernel.ids import MessageId, ProductId
from doorbuster.products.tables import stock
from doorbuster.settings import AuthSettings, IssuerSettings, RedisSettings, Settings
from tests.integration.apps.awaited import until
from tests.integration.apps.patient_redis import patient
from tests.integration.apps.storefront import ISSUER, Storefront, running_storefront, supply
from tests.integration.apps.test_api import count_all
from tests.integration.polling import seconds_until
from tests.ports import free_port

pytestmark = pytest.mark.integration

HOT, COLD = ProductId(1), ProductId(2)
NUMBERS = count(1)
ORDERS = "/api/v1/orders"
# A hint lives for two seconds; a test that needs one for longer sets it again.
HINTED_SECONDS = 10.0


@pytest.fixture
async def client(settings: Settings) -> AsyncIterator[Redis]:
    client = patient(settings.redis)
    yield client
    # The next test may sell the same product.
    await client.delete(KEY)
    await client.aclose()


@pytest.fixture
async def stocked(database: Database) -> Database:
    """Two units of the hot product, many of the other one."""
    async with database.transaction() as connection:
        units = [(HOT, 2), (COLD, 1_000)]
        values = [{"product_id": product, "supplied": each, "available": each} for product, each in units]
        await rows.add(connection, stock, values)
    return database


def record(body: Body) -> Record:
    number = next(NUMBERS)
    value = encode(Message(id=MessageId(UUID(int=number)), occurred_at=datetime.now(UTC), body=body))
    return Record(topic="order-created", partition=0, offset=number, key=None, value=value, timestamp_ms=1)


def order(number: int, *, units: int = 1, product: ProductId = HOT) -> Record:
    lines = (OrderLine(product_id=product, quantity=units, unit_price=5),)
    return record(OrderCreated(order_id=UUID(int=number), user_id=1, lines=lines, total=5 * units))


def cancel(number: int) -> Record:
    return record(OrderCancelled(order_id=UUID(int=number), reason="deadline"))


@asynccontextmanager
async def stock_consumer(settings: Settings) -> AsyncIterator[Parts]:
    async with parts_of(ConsumerName.STOCK, settings) as parts:
        try:
            yield parts
        finally:
            parts.source.close()


@pytest.mark.usefixtures("stocked")
async def test_the_stock_group_says_what_is_sold_out_and_what_is_back(settings: Settings, client: Redis) -> None:
    hints = RedisSoldOut(client)

    async def says_nothing() -> bool:
        return await hints.current() == frozenset()

    async def says_hot() -> bool:
        return await hints.current() == {HOT}

    async with stock_consumer(settings) as consumer:
        await consumer.handler.handle([order(1), order(2, product=COLD)])
        assert await says_nothing()
        await consumer.handler.handle([order(3)])
        await until(says_hot, within_seconds=1)
        # It ends after two seconds, and whoever is rejected says it again.
        await until(says_nothing)
        await consumer.handler.handle([order(4)])
        await until(says_hot, within_seconds=1)
        await consumer.handler.handle([cancel(3)])
        await until(says_nothing, within_seconds=1)
        await consumer.handler.handle([order(5)])
        await until(says_hot, within_seconds=1)


@pytest.mark.usefixtures("stocked")
async def test_a_restock_takes_the_hint_back_but_not_that_of_other_products(settings: Settings, client: Redis) -> None:
    hints = RedisSoldOut(client)
    issuers = (IssuerSettings(issuer=ISSUER, jwks_url="http://127.0.0.1/jwks"),)
    allowed = settings.model_copy(update={"auth": AuthSettings(issuers=issuers)})
    await hints.set([HOT, COLD, ProductId(7)])

    await top_up(allowed, TopUp(users=1, points=1, first_product=HOT, products=2, units=50, hot_units=0))

    assert await hints.current() <= {ProductId(7)}


async def test_without_redis_the_stock_group_goes_on(stocked: Database, settings: Settings) -> None:
    nowhere = settings.model_copy(update={"redis": RedisSettings(address=f"127.0.0.1:{free_port()}")})
    async with stock_consumer(nowhere) as consumer:
        results = [await consumer.handler.handle([order(number)]) for number in range(1, 11)]

    assert [result.processed for result in results] == [1] * 10


@pytest.fixture
def shop(empty_tables: Settings, tmp_path: Path) -> Iterator[Storefront]:
    supply(empty_tables)
    with running_storefront(empty_tables, tmp_path) as running:
        yield running


@pytest.fixture
def buyer(shop: Storefront) -> Iterator[httpx.Client]:
    with shop.client(1) as client:
        yield client


def buy(buyer: httpx.Client, key: str, *products: int) -> httpx.Response:
    lines = [{"product_id": product, "quantity": 1} for product in products]
    return buyer.post(ORDERS, json={"lines": lines}, headers={"Idempotency-Key": key})


def hinting(settings: Settings, state: Callable[[], bool], what: str) -> None:
    """Keep the hint set until a state is reached."""

    async def hint() -> None:
        client = patient(settings.redis)
        await RedisSoldOut(client).set([HOT])
        await client.aclose()

    def look() -> bool:
        asyncio.run(hint())
        return state()

    seconds_until(look, within_seconds=HINTED_SECONDS, what=what)


def test_what_is_sold_out_is_refused_before_anything_is_written(empty_tables: Settings, buyer: httpx.Client) -> None:
    answers: list[httpx.Response] = []

    def refuses() -> bool:
        answers.append(buy(buyer, f"key-{len(answers)}", COLD, HOT))
        return answers[-1].status_code == 409

    hinting(empty_tables, refuses, "the refusal")
    before = count_all(empty_tables)
    again = buy(buyer, "refused", COLD, HOT)

    assert (again.status_code, again.json()["code"]) == (409, "sold-out")
    assert again.json()["errors"] == [{"field": "lines[1].product_id", "message": "is sold out"}]
    assert count_all(empty_tables) == before


def test_other_products_are_sold_meanwhile_and_the_refused_key_is_free_afterwards(
    empty_tables: Settings, buyer: httpx.Client
) -> None:
    refused: list[httpx.Response] = []

    def refuses() -> bool:
        refused.append(buy(buyer, f"first-{len(refused)}", HOT))
        return refused[-1].status_code == 409

    hinting(empty_tables, refuses, "the refusal")
    assert buy(buyer, "other", COLD).status_code == 202

    key = f"first-{len(refused) - 1}"
    seconds_until(lambda: buy(buyer, key, HOT).status_code == 202, within_seconds=HINTED_SECONDS, what="an order")


def test_the_repeat_of_an_order_that_was_accepted_gets_its_answer_also_when_all_is_sold(
    empty_tables: Settings, buyer: httpx.Client
) -> None:
    first = buy(buyer, "mine", HOT)
    others: list[httpx.Response] = []

    def refuses() -> bool:
        others.append(buy(buyer, f"other-{len(others)}", HOT))
        return others[-1].status_code == 409

    hinting(empty_tables, refuses, "the refusal")
    again = buy(buyer, "mine", HOT)

    assert (again.status_code, again.content) == (202, first.content)
    assert again.headers["idempotency-replayed"] == "true"


def test_the_refusals_are_counted(empty_tables: Settings, shop: Storefront, buyer: httpx.Client) -> None:
    keys = (f"key-{number}" for number in count())
    hinting(empty_tables, lambda: buy(buyer, next(keys), HOT).status_code == 409, "the refusal")

    scraped = shop.api.metrics()
    assert "orders_sold_out_total 1.0" in scraped
    assert 'business_refusals_total{code="sold-out"} 1.0' in scraped
