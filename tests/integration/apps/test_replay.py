"""All topics told again from the first record: the business tables stay as they are (R12)."""

import asyncio
from datetime import datetime
from uuid import UUID, uuid4

import pytest

from doorbuster.infra.mysql.database import Database
from doorbuster.infra.mysql.transactions import database_time
from doorbuster.kernel.ids import OrderId
from doorbuster.orders.model import CancelReason
from doorbuster.orders.saga import request_cancel
from doorbuster.orders.watch_repository import MySqlWatchRepository
from doorbuster.settings import Settings
from tests.audit import breaches
from tests.integration.apps.books import Books
from tests.integration.apps.business_tables import BUSINESS_TABLES, hashes
from tests.integration.apps.group_offsets import forget_offsets, records_ahead, records_kept
from tests.integration.apps.platform import CONSUMERS, Buyer, Platform
from tests.integration.apps.test_saga import POINTS_OF_USER, PRODUCT, SCARCE_PRODUCT, UNITS_OF_SCARCE_PRODUCT, start
from tests.integration.polling import seconds_until

pytestmark = pytest.mark.integration

REPLAY_SECONDS = 90
# There are as many, for more points than anybody has.
UNITS_TOO_DEAR = 900
OUTBOX = "SELECT CONCAT(COALESCE(MAX(seq), 0), ' ', COALESCE(SUM(published_at IS NULL), 0)) FROM outbox"
DEAD_LETTERS = "SELECT COUNT(*) FROM outbox WHERE topic LIKE '%.dlt'"
PROCESSED = "SELECT COUNT(*) FROM processed_messages"


def test_all_topics_told_again_change_nothing_with_and_without_the_processed_ids(
    platform: Platform, books: Books, settings: Settings
) -> None:
    buy_what_is_paid_failed_and_cancelled(platform, settings, platform.buyer(1))
    books.until_quiet()
    until_all_is_read(books, settings)
    before, records = hashes(settings.mysql), records_kept(settings.kafka)
    processed = books.number(PROCESSED)

    tell_again(platform, books, settings, knowing=True)
    assert hashes(settings.mysql) == before
    # Nothing was answered again, so nothing came to the topics.
    assert (books.number(PROCESSED), records_kept(settings.kafka)) == (processed, records)

    tell_again(platform, books, settings, knowing=False)
    assert hashes(settings.mysql) == before
    # The participants answered again, from what they had decided.
    assert records_kept(settings.kafka) > records
    assert books.number(DEAD_LETTERS) == 0
    assert breaches(books.ask) == {}


def test_the_hash_covers_every_table_that_a_message_changes() -> None:
    by_stock = {"stock", "stock_reservations", "product_sales", "counted_orders"}
    by_payment = {"payments", "point_balances", "point_entries"}
    by_others = {"orders", "order_sagas", "coupon_redemptions", "deliveries"}

    assert by_stock | by_payment | by_others <= {*BUSINESS_TABLES}


def buy_what_is_paid_failed_and_cancelled(platform: Platform, settings: Settings, buyer: Buyer) -> None:
    """Have two orders paid, two fail, and one cancelled before its stock was reserved."""
    for key in ("one", "two"):
        assert buyer.final(bought(buyer, key, PRODUCT, 1))["status"] == "PAID"
    greedy = bought(buyer, "greedy", SCARCE_PRODUCT, UNITS_OF_SCARCE_PRODUCT + 1)
    poor = platform.buyer(2)
    dear = bought(poor, "dear", PRODUCT, UNITS_TOO_DEAR)
    assert buyer.final(greedy)["failure_reason"] == "out-of-stock"
    assert poor.final(dear)["failure_reason"] == "insufficient-points"

    stock = platform.applications["stock"]
    assert stock.stop() == 0
    cancelled = bought(buyer, "cancelled", PRODUCT, 1)
    asyncio.run(cancel(settings, UUID(cancelled)))
    start([stock])
    assert buyer.final(cancelled)["failure_reason"] == CancelReason.DEADLINE
    assert buyer.points() < POINTS_OF_USER


def bought(buyer: Buyer, key: str, product: int, units: int) -> str:
    """Order, and return the order's id."""
    order_id: str = buyer.buy(key, (product, units)).raise_for_status().json()["id"]
    return order_id


async def cancel(settings: Settings, order_id: UUID) -> None:
    """Cancel a PENDING order as the watch does at the business deadline."""
    database = Database(settings.mysql)
    try:
        async with database.transaction() as connection:
            repository = MySqlWatchRepository(connection, uuid4)
            now: datetime = await database_time(connection)
            sagas = await repository.lock([OrderId(order_id)])
            transition = request_cancel(sagas[OrderId(order_id)], CancelReason.DEADLINE, now)
            await repository.save([transition])
            await repository.send(transition.events, now)
    finally:
        await database.close()


def tell_again(platform: Platform, books: Books, settings: Settings, *, knowing: bool) -> None:
    """Have every group read everything again; those that don't know their processed ids rely on natural keys."""
    consumers = [platform.applications[name] for name in CONSUMERS]
    for consumer in consumers:
        assert consumer.stop() == 0, consumer.logs()
    forget_offsets(settings.kafka)
    if not knowing:
        books.forget("processed_messages")
    start(consumers)
    until_all_is_read(books, settings)


def until_all_is_read(books: Books, settings: Settings) -> None:
    """Return when every group has read everything, and nothing came of it that is still to be published."""

    def all_is_read() -> bool:
        # What is published before the look at the groups, and nothing new behind it, is all that they can have to read.
        (before,) = books.ask(OUTBOX)
        ahead = records_ahead(settings.kafka)
        (after,) = books.ask(OUTBOX)
        return before == after and before.endswith(" 0") and ahead == 0

    seconds_until(all_is_read, within_seconds=REPLAY_SECONDS, what="every group has read everything")
