"""Puts the API's use cases together: services, repositories, batches, coalescers, servers."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import httpx

from doorbuster.bootstrap import buyer_commands
from doorbuster.bootstrap.batch_rows import rows_of_charge, rows_of_order
from doorbuster.bootstrap.buyer_commands import Ground, OwnCarts, OwnEntries, keyed
from doorbuster.bootstrap.buying import CancelPresenter
from doorbuster.bootstrap.catalogue import CachedCatalogue, cached_catalogue
from doorbuster.bootstrap.commands import ChargePresenter, OrderPresenter, charge_step, order_step
from doorbuster.bootstrap.coupon_issues import CouponReads, IssueCommands, issue_commands
from doorbuster.bootstrap.health import ApiHealth, Watched
from doorbuster.bootstrap.ids import id_factory
from doorbuster.bootstrap.ranking import RankedProducts, RankingSnapshot
from doorbuster.bootstrap.reads import BalanceReads, OrderReads
from doorbuster.bootstrap.sold_out_refusals import SoldOutPresenter, SoldOutRefusals, known_on_primary
from doorbuster.carts.model import Cart, CartCommand, CheckOut
from doorbuster.infra import redis
from doorbuster.infra.auth.jwks import IssuerKeys
from doorbuster.infra.auth.tokens import TokenVerifier
from doorbuster.infra.batches.keyed_commands import KeyedCommands
from doorbuster.infra.batches.repeatable_commands import RepeatableCommands
from doorbuster.infra.batches.watched_reads import WatchedReads
from doorbuster.infra.cache.guard import Guard
from doorbuster.infra.cache.sold_out import ANSWER_SECONDS, RedisSoldOut, SoldOutSnapshot
from doorbuster.infra.circuits import Circuits, Dependency
from doorbuster.infra.mysql.database import Database
from doorbuster.infra.outbox.broker_gate import BrokerGate, broker_question
from doorbuster.infra.outbox.wakeup_sender import WakeupSender
from doorbuster.infra.redis import Wakeups
from doorbuster.kernel.ids import OrderId
from doorbuster.kernel.refusals import Refusal
from doorbuster.orders.cancelling import CancelOrder
from doorbuster.orders.model import Order, PlaceOrder
from doorbuster.points.model import ChargePoints
from doorbuster.products.redis_ranking import RedisRanking
from doorbuster.products.repository import MySqlBestSellers
from doorbuster.settings import AuthSettings, Settings

# R18: 4 + 4 connections an API pod; these are half of the second 4, for the catalogue gets as many.
READERS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiServices:
    """All that the routes need; what each does is said by the Protocols that the API declares."""

    users: TokenVerifier
    place_order: KeyedCommands[PlaceOrder]
    charge_points: KeyedCommands[ChargePoints]
    issue_coupon: IssueCommands
    orders: OrderReads
    balances: BalanceReads
    catalogue: CachedCatalogue
    ranking: RankedProducts
    coupons: CouponReads
    carts: OwnCarts
    change_cart: RepeatableCommands[CartCommand, Cart | Refusal]
    check_out: KeyedCommands[CheckOut]
    cancel_order: KeyedCommands[CancelOrder]
    order_watch: WatchedReads[OrderId, Order]
    entries: OwnEntries
    health: ApiHealth
    new_id: Callable[[], UUID]

    async def drain(self) -> None:
        """Refuse new commands and reads, and return when those that wait have their outcome."""
        waiting = (
            self.place_order, self.charge_points, self.orders, self.balances, self.catalogue,
            self.carts, self.change_cart, self.check_out, self.cancel_order, self.entries,
            self.issue_coupon, self.coupons, self.ranking,
        )  # fmt: skip
        await asyncio.gather(*(each.drain() for each in waiting))


@dataclass(frozen=True, slots=True, kw_only=True)
class Presenters:
    """How outcomes become the bytes that are stored and sent."""

    order: OrderPresenter
    charge: ChargePresenter
    cancel: CancelPresenter
    sold_out: SoldOutPresenter


@asynccontextmanager
async def api_services(settings: Settings, presenters: Presenters) -> AsyncIterator[ApiServices]:
    """Yield the services; afterwards they are drained, then everything is closed. Nothing here waits for a server."""
    async with AsyncExitStack() as stack:
        database = Database(settings.mysql, reader_pool_size=READERS)
        stack.push_async_callback(database.close)
        client = redis.connect(settings.redis)
        stack.push_async_callback(client.aclose)
        gate = BrokerGate(database, broker_question(settings.kafka))
        gate.start()
        stack.push_async_callback(gate.close)
        circuits = Circuits(Dependency.REDIS)
        wakeups = WakeupSender(Wakeups(client, circuits).publish_wakeup)
        # Pushed before the services' own drain, so it runs after it.
        stack.push_async_callback(wakeups.drain)
        deadline = settings.api.deadline_seconds
        ground = Ground(
            database=database, wakeups=wakeups, accepts=gate.accepts, deadline_seconds=deadline, new_id=id_factory()
        )
        watched = Watched(database=database, gate=gate, redis=client, circuits=circuits)
        refusals = await stack.enter_async_context(_sold_out(settings, presenters, watched))
        catalogue = await stack.enter_async_context(_catalogue(settings, watched))
        services = ApiServices(
            users=_verifier(settings.auth, await stack.enter_async_context(_key_client())),
            place_order=keyed(
                ground,
                order_step(presenters.order, ground.accepts),
                name="place-order",
                rows_of=rows_of_order,
                refuse=refusals.refuse,
            ),
            charge_points=keyed(ground, charge_step(presenters.charge), name="charge-points", rows_of=rows_of_charge),
            issue_coupon=issue_commands(ground, client, circuits),
            orders=OrderReads(database, deadline_seconds=deadline),
            balances=BalanceReads(database, deadline_seconds=deadline),
            catalogue=catalogue,
            ranking=_ranking(watched, catalogue),
            coupons=CouponReads(database, deadline_seconds=deadline),
            carts=OwnCarts(ground),
            change_cart=buyer_commands.change_cart(ground),
            check_out=buyer_commands.check_out(ground, presenters.order),
            cancel_order=buyer_commands.cancel_order(ground, presenters.cancel),
            order_watch=buyer_commands.order_watch(database),
            entries=OwnEntries(ground),
            health=ApiHealth(watched, minimum_products=settings.catalogue.minimum_products, monotonic=time.monotonic),
            new_id=ground.new_id,
        )
        services.order_watch.start()
        stack.push_async_callback(services.order_watch.close)
        stack.push_async_callback(services.drain)
        yield services


def _key_client() -> httpx.AsyncClient:
    # No redirects and no proxies of the environment: keys come from where the settings say, or not at all.
    return httpx.AsyncClient(timeout=2.0, follow_redirects=False, trust_env=False)


def _verifier(auth: AuthSettings, client: httpx.AsyncClient) -> TokenVerifier:
    keys = {each.issuer: IssuerKeys(each.jwks_url, client, monotonic=time.monotonic) for each in auth.issuers}
    return TokenVerifier(keys, audience=auth.audience, leeway_seconds=auth.leeway_seconds, clock=time.time)


def _catalogue(settings: Settings, watched: Watched) -> AbstractAsyncContextManager[CachedCatalogue]:
    return cached_catalogue(settings, watched.database, client=watched.redis, circuits=watched.circuits)


def _ranking(watched: Watched, catalogue: CachedCatalogue) -> RankedProducts:
    snapshot = RankingSnapshot(
        RedisRanking(watched.redis).best,
        Guard(watched.circuits, "ranking"),
        stored=MySqlBestSellers(watched.database).best,
        clock=time.monotonic,
    )
    return RankedProducts(snapshot, catalogue.find)


@asynccontextmanager
async def _sold_out(settings: Settings, presenters: Presenters, watched: Watched) -> AsyncIterator[SoldOutRefusals]:
    guard = Guard(watched.circuits, "sold-out", answer_seconds=ANSWER_SECONDS)
    snapshot = SoldOutSnapshot(RedisSoldOut(watched.redis).current, guard, time.monotonic)
    refusals = SoldOutRefusals(
        snapshot.products,
        known_on_primary(watched.database),
        present=presenters.sold_out,
        deadline_seconds=settings.api.deadline_seconds,
    )
    try:
        yield refusals
    finally:
        await refusals.drain()
        await snapshot.drain()
