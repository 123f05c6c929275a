"""Puts the consumers together: for each its group, its business step on a repository, and what runs beside it."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import TypeVar

import structlog
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.bootstrap.batch_rows import rows_of_messages
from doorbuster.bootstrap.delivery_measures import DeliveryMeasures, partner_notices
from doorbuster.bootstrap.ids import id_factory
from doorbuster.bootstrap.process_faults import Companion, failing, fault_notices, slowed, stuck
from doorbuster.bootstrap.ranking_sends import RankingSender, RankingSends
from doorbuster.bootstrap.sold_out_hints import HintSender, SoldOutHints
from doorbuster.contracts.bodies import AnyBody, Body, CouponIssued
from doorbuster.contracts.topics import READ_BY, Group, Topic
from doorbuster.coupons.issue_repository import MySqlIssueRepository
from doorbuster.coupons.issue_service import IssuerService
from doorbuster.coupons.repository import MySqlRedemptionRepository
from doorbuster.coupons.service import CouponService
from doorbuster.deliveries.repository import MySqlDeliveries, MySqlDeliveryRepository
from doorbuster.deliveries.service import DeliveryService, Sender
from doorbuster.infra import redis
from doorbuster.infra.batches.message_batches import MessageBatches, Step
from doorbuster.infra.cache.guard import Guard
from doorbuster.infra.cache.sold_out import RedisSoldOut
from doorbuster.infra.circuits import Circuits, Dependency
from doorbuster.infra.kafka.kafka_record_source import KafkaRecordSource, consumer_configuration
from doorbuster.infra.kafka.record_source import RecordSource
from doorbuster.infra.kafka.records import BatchHandler
from doorbuster.infra.mysql.database import Database
from doorbuster.infra.mysql.transactions import Transactions
from doorbuster.infra.outbox.wakeup_sender import WakeupSender
from doorbuster.infra.partner import HttpPartner
from doorbuster.infra.redis import Wakeups
from doorbuster.kernel.errors import UnknownMessage
from doorbuster.orders.repository import MySqlOrderRepository
from doorbuster.orders.service import OrderFlowService
from doorbuster.points.repository import MySqlPointRepository
from doorbuster.points.service import PaymentService
from doorbuster.products.redis_ranking import RedisRanking
from doorbuster.products.repository import MySqlSalesRepository, MySqlStockRepository
from doorbuster.products.service import SalesService, StockService
from doorbuster.settings import Settings

# One batch at a time, and what runs beside it (R18).
CONNECTIONS = 2

Repository = TypeVar("Repository")
Read = TypeVar("Read", bound=AnyBody)

log = structlog.get_logger()


class ConsumerName(StrEnum):
    """The consumers by the names of their Deployments, without `consumer-`."""

    STOCK = "stock"
    COUPON = "coupon"
    ORDER_FLOW = "order-flow"
    PAYMENT = "payment"
    POST_PROCESS = "post-process"
    EXTERNAL_DATA = "external-data"
    COUPON_ISSUER = "coupon-issuer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumer:
    """One consumer group's work.

    Attributes:
        about: what it does, in a sentence.
        step: what it does with a batch of messages.
    """

    group: Group
    about: str
    step: Step

    @property
    def topics(self) -> Sequence[Topic]:
        """The topics that the group reads."""
        return READ_BY[self.group]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a consumer process is made of; connects when it is used."""

    source: RecordSource
    handler: BatchHandler
    companions: Sequence[Companion]


@asynccontextmanager
async def parts_of(
    name: ConsumerName, settings: Settings, *, leaving: Callable[[], bool] = lambda: False
) -> AsyncIterator[Parts]:
    """Yield the parts of a consumer's process; its connections end with the context. Nothing here waits for a server.

    The connection to Kafka is the runtime's to close.

    Args:
        name: of the consumer.
        settings: of the process.
        leaving: whether the process is about to end; asked from any thread.
    """
    async with AsyncExitStack() as stack:
        database = Database(settings.mysql.model_copy(update={"pool_size": CONNECTIONS}))
        stack.push_async_callback(database.close)
        client = redis.connect(settings.redis)
        stack.push_async_callback(client.aclose)
        circuits = Circuits(Dependency.REDIS)
        wakeups = WakeupSender(Wakeups(client, circuits).publish_wakeup)
        stack.push_async_callback(wakeups.drain)
        consumer, stored = CONSUMERS[name], wakeups.send
        if name is ConsumerName.STOCK:
            hints = SoldOutHints(HintSender(RedisSoldOut(client), Guard(circuits, "sold-out-hints")).send)
            stack.push_async_callback(hints.drain)
            consumer, stored = _telling(consumer, hints), _both(wakeups.send, hints.committed)
        transactions: Transactions = database
        if name is ConsumerName.POST_PROCESS:
            sends = RankingSends(database, RankingSender(RedisRanking(client), Guard(circuits, "ranking-sends")).send)
            stack.push_async_callback(sends.drain)
            consumer, transactions = _ranking(consumer, sends), sends
        beside = await stack.enter_async_context(_companions(name, settings, database, client))
        faults = settings.faults
        yield Parts(
            companions=(*beside, *fault_notices(f"consumer-{name}", faults, client)),
            source=stuck(
                KafkaRecordSource(consumer_configuration(settings.kafka, consumer.group), leaving=leaving), faults
            ),
            handler=failing(_handler(consumer, slowed(transactions, faults), stored), faults),
        )


def _telling(stock: Consumer, hints: SoldOutHints) -> Consumer:
    """Return the stock consumer with a step that notes what is sold out, to be told after its commit (R4)."""
    return replace(stock, step=_step(StockService(hints.decided).handle, MySqlStockRepository, Body))


def _ranking(post_process: Consumer, sends: RankingSends) -> Consumer:
    """Return the post-process consumer with a step that notes what it counts up to, to be sent afterwards (R11)."""
    return replace(post_process, step=_step(SalesService(sends.counted).handle, MySqlSalesRepository, Body))


def _both(first: Callable[[], None], second: Callable[[], None]) -> Callable[[], None]:
    def call() -> None:
        first()
        second()

    return call


def _handler(consumer: Consumer, database: Transactions, stored: Callable[[], None]) -> BatchHandler:
    return MessageBatches(
        database,
        consumer.group,
        consumer.step,
        new_id=id_factory(),
        rows_of=rows_of_messages(consumer.group),
        stored=stored,
    )


@asynccontextmanager
async def _companions(
    name: ConsumerName, settings: Settings, database: Database, client: Redis
) -> AsyncIterator[Sequence[Companion]]:
    if name is not ConsumerName.EXTERNAL_DATA:
        yield ()
    elif settings.partner.address is None:
        log.warning("no_partner_configured")
        yield ()
    else:
        async with HttpPartner(settings.partner.address) as partner:
            sender = Sender(
                deliveries=MySqlDeliveries(database),
                partner=partner,
                clock=time.monotonic,
                observer=DeliveryMeasures(),
            )
            yield sender.run, partner_notices(sender, client)


def _step(
    handle: Callable[[Repository, Sequence[Read], datetime], Awaitable[Sequence[AnyBody]]],
    repository: Callable[[AsyncConnection], Repository],
    reads: type[Read],
) -> Step:
    """Bind a service's use case to the repository that it needs, made anew on each transaction's connection.

    `reads` is what the use case understands; any other body is poison, and never reaches it (R7).
    """

    async def step(connection: AsyncConnection, bodies: Sequence[AnyBody], now: datetime) -> Sequence[AnyBody]:
        return await handle(repository(connection), only(reads, bodies), now)

    return step


def only(reads: type[Read], bodies: Sequence[AnyBody]) -> Sequence[Read]:
    """Return the bodies, all of which must be of the kind that is read.

    Raises:
        UnknownMessage: one isn't.
    """
    read = [body for body in bodies if isinstance(body, reads)]
    if len(read) != len(bodies):
        raise UnknownMessage(f"among {len(bodies)} messages {len(bodies) - len(read)} are not for this group")
    return read


CONSUMERS: Mapping[ConsumerName, Consumer] = MappingProxyType(
    {
        ConsumerName.STOCK: Consumer(
            group=Group.STOCK,
            about="Reserves the units of new orders and releases those of cancelled ones.",
            step=_step(StockService().handle, MySqlStockRepository, Body),
        ),
        ConsumerName.COUPON: Consumer(
            group=Group.COUPON,
            about="Redeems the coupons of new orders and gives back those of cancelled ones.",
            step=_step(CouponService().handle, MySqlRedemptionRepository, Body),
        ),
        ConsumerName.ORDER_FLOW: Consumer(
            group=Group.ORDER_FLOW,
            about="Leads each order's saga from the answers of stock, coupons and payment to its end.",
            step=_step(OrderFlowService().handle, MySqlOrderRepository, Body),
        ),
        ConsumerName.PAYMENT: Consumer(
            group=Group.PAYMENT,
            about="Spends points on orders and gives back those of cancelled ones.",
            step=_step(PaymentService().handle, MySqlPointRepository, Body),
        ),
        ConsumerName.POST_PROCESS: Consumer(
            group=Group.POST_PROCESS,
            about="Counts the sales of completed orders and hands on their data.",
            step=_step(SalesService().handle, MySqlSalesRepository, Body),
        ),
        ConsumerName.EXTERNAL_DATA: Consumer(
            group=Group.EXTERNAL_DATA,
            about="Stores what the partner has to be told, and delivers it.",
            step=_step(DeliveryService().handle, MySqlDeliveryRepository, Body),
        ),
        ConsumerName.COUPON_ISSUER: Consumer(
            group=Group.COUPON_ISSUER,
            about="Finishes the issue of coupons that were accepted.",
            step=_step(IssuerService().handle, MySqlIssueRepository, CouponIssued),
        ),
    }
)
