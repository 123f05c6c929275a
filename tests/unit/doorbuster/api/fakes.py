"""What stands behind the routes in these tests: use cases in memory, and a client of the whole application."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count
from typing import Generic, TypeVar
from uuid import UUID

import httpx

from doorbuster.api.answers import cancel_answer, charge_answer, order_answer
from doorbuster.api.app import create_app
from doorbuster.api.use_cases import UseCases
from doorbuster.carts.model import EMPTY, Cart, CartCommand, CheckOut, decide, emptied
from doorbuster.coupons.coupon import Coupon, Issue
from doorbuster.coupons.issuing import IssueCoupon, IssueOutcome
from doorbuster.infra.auth.jwks import IssuerUnavailable
from doorbuster.infra.auth.tokens import AdminTokenRefused, TokenRefused
from doorbuster.infra.batches.answers import Answer, BodyMismatch, Outcome, Refused
from doorbuster.infra.batches.idempotency_keys import Keyed
from doorbuster.infra.batches.in_flight import KeyInFlight
from doorbuster.infra.batches.watched_reads import WatchedReads
from doorbuster.infra.cache.entries import Entry as CacheEntry
from doorbuster.infra.health import Health, Members, Pool, State
from doorbuster.kernel.breaker import BreakerState
from doorbuster.kernel.ids import CouponId, IssueId, OrderId, ProductId, UserId
from doorbuster.kernel.refusals import Refusal
from doorbuster.orders.cancelling import CancelOrder, decide_cancels
from doorbuster.orders.model import Order, PlaceOrder, Saga, WantedLine, place
from doorbuster.orders.service import LONGEST_PAGE
from doorbuster.points.history import EntryPosition
from doorbuster.points.model import Charged, ChargePoints, Entry, charge
from doorbuster.products.documents import product_body
from doorbuster.products.model import Product
from doorbuster.products.ranking import RankedProduct
from doorbuster.products.search import Position
from tests.unit.doorbuster.coupons.issues import MemoryCoupons

NOW = datetime(2026, 11, 25, 20, 0, tzinfo=UTC)
TOKENS = {"token-of-1": UserId(1), "token-of-2": UserId(2)}
PRODUCTS = {ProductId(n): Product(id=ProductId(n), name=f"Lamp {n}", price=100 * n, version=1) for n in range(1, 6)}
WELL = Health(
    mysql=State.OK,
    kafka=State.OK,
    redis=State.OK,
    products=5,
    outbox_rows=0,
    outbox_oldest_age_seconds=0.0,
    accepts_orders=True,
    pool=Pool(size=4, in_use=1),
    members=Members(primary="mysql-0", online=3, known=3),
    pools={"transactions": Pool(size=4, in_use=1), "reads": Pool(size=2, in_use=0)},
    breakers={"redis": BreakerState.CLOSED, "kafka": BreakerState.CLOSED, "partner": BreakerState.HALF_OPEN},
    faults=(),
)

C = TypeVar("C")


class FakeUsers:
    async def user_of(self, token: str) -> UserId:
        if token == "admin":
            raise AdminTokenRefused
        if token == "of-an-issuer-that-is-gone":
            raise IssuerUnavailable
        if token not in TOKENS:
            raise TokenRefused("unknown in this test")
        return TOKENS[token]


@dataclass
class FakeCommands(Generic[C]):
    """Keeps the promises of KeyedCommands: one effect a key, the stored answer to each repeat."""

    decide: Callable[[C], Answer | Refused]
    failure: Exception | None = None
    stored: dict[bytes, tuple[bytes, Answer]] = field(default_factory=dict)
    in_flight: bool = False
    received: list[Keyed[C]] = field(default_factory=list)

    async def run(self, keyed: Keyed[C], *, user: int) -> Outcome:
        del user
        self.received.append(keyed)
        if self.failure is not None:
            raise self.failure
        if self.in_flight:
            raise KeyInFlight
        if keyed.key_id in self.stored:
            body_hash, answer = self.stored[keyed.key_id]
            return answer if body_hash == keyed.body_hash else BodyMismatch()
        outcome = self.decide(keyed.command)
        if isinstance(outcome, Answer):
            self.stored[keyed.key_id] = (keyed.body_hash, outcome)
        return outcome


@dataclass
class FakeOrders:
    orders: list[Order] = field(default_factory=list)
    failure: Exception | None = None

    async def find(self, order_id: OrderId, *, user_id: UserId) -> Order | None:
        if self.failure is not None:
            raise self.failure
        return next((order for order in self.orders if order.id == order_id and order.user_id == user_id), None)

    async def page(self, user_id: UserId, *, before: OrderId | None, limit: int) -> Sequence[Order]:
        own = sorted((order for order in self.orders if order.user_id == user_id), key=lambda o: o.id, reverse=True)
        return [order for order in own if before is None or order.id < before][: min(limit, LONGEST_PAGE)]


@dataclass
class FakeBalances:
    balances: dict[UserId, int] = field(default_factory=lambda: {UserId(1): 500})

    async def find(self, user_id: UserId) -> int | None:
        return self.balances.get(user_id)


@dataclass
class FakeCarts:
    """Carts, read and changed by the same rules as the real ones."""

    carts: dict[UserId, Cart] = field(default_factory=dict)
    failure: Exception | None = None
    received: list[CartCommand] = field(default_factory=list)

    async def find(self, user_id: UserId) -> Cart:
        return self.carts.get(user_id) or Cart(user_id=user_id)

    async def run(self, command: CartCommand, *, user: int) -> Cart | Refusal:
        assert user == command.user_id
        self.received.append(command)
        if self.failure is not None:
            raise self.failure
        decision = decide(self.carts, PRODUCTS, [command], NOW)
        self.carts |= {cart.user_id: cart for cart in decision.changed}
        return decision.outcomes[0]


@dataclass
class FakeEntries:
    entries: list[Entry] = field(default_factory=list)

    async def page(self, user_id: UserId, *, before: EntryPosition | None, limit: int) -> Sequence[Entry]:
        own = sorted(
            (entry for entry in self.entries if entry.account == f"user:{user_id}"), key=_place_of, reverse=True
        )
        return [entry for entry in own if before is None or _place_of(entry) < _place_of(before)][:limit]


def _place_of(entry: Entry | EntryPosition) -> tuple[datetime, UUID, str]:
    return entry.created_at, entry.transaction_id, entry.kind


class FakeCatalogue:
    async def find(self, product_id: ProductId) -> CacheEntry | None:
        product = PRODUCTS.get(product_id)
        return None if product is None else CacheEntry(version=product.version, body=product_body(product))

    async def page(self, *, after: ProductId, limit: int) -> Sequence[Product]:
        return [product for number, product in sorted(PRODUCTS.items()) if number > after][:limit]

    async def search(self, prefix: str, *, behind: Position | None, limit: int) -> Sequence[Product]:
        place = ("", 0) if behind is None else (behind.name, behind.id)
        named = sorted((each.name, each.id) for each in PRODUCTS.values() if each.name.startswith(prefix))
        return [PRODUCTS[product_id] for name, product_id in named if (name, product_id) > place][:limit]


class FakeRanking:
    """Of the product with the greatest id most was sold."""

    async def best(self, limit: int) -> Sequence[RankedProduct]:
        products = sorted(PRODUCTS.values(), key=lambda product: product.id, reverse=True)
        return [
            RankedProduct(rank=rank, product_id=each.id, name=each.name, price=each.price, units=10 * each.id)
            for rank, each in enumerate(products[:limit], 1)
        ]


@dataclass
class FakeCoupons:
    """Coupons and their issues in memory, for both use cases."""

    memory: MemoryCoupons = field(default_factory=MemoryCoupons)
    received: list[IssueCoupon] = field(default_factory=list)

    async def run(self, command: IssueCoupon) -> IssueOutcome:
        self.received.append(command)
        (outcome,) = await self.memory.issue([command])
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def find(self, coupon_id: CouponId) -> Coupon | None:
        return self.memory.coupons.get(coupon_id)

    async def find_issue(self, issue_id: IssueId, *, user_id: UserId) -> Issue | None:
        own = (issue for (_, user), issue in self.memory.issues.items() if user == user_id)
        return next((issue for issue in own if issue.id == issue_id), None)


@dataclass
class FakeHealth:
    health: Health = WELL

    async def check(self) -> Health:
        return self.health


def _place(command: PlaceOrder) -> Answer | Refused:
    (outcome,) = place(PRODUCTS, [command], NOW)
    return order_answer(command, outcome)


@dataclass
class World:
    """All fakes of one application."""

    orders: FakeOrders = field(default_factory=FakeOrders)
    balances: FakeBalances = field(default_factory=FakeBalances)
    health: FakeHealth = field(default_factory=FakeHealth)
    coupons: FakeCoupons = field(default_factory=FakeCoupons)
    place_order: FakeCommands[PlaceOrder] = field(default_factory=lambda: FakeCommands(_place))
    charge_points: FakeCommands[ChargePoints] = field(init=False)
    carts: FakeCarts = field(default_factory=FakeCarts)
    entries: FakeEntries = field(default_factory=FakeEntries)
    sagas: dict[OrderId, Saga] = field(default_factory=dict)
    check_out: FakeCommands[CheckOut] = field(init=False)
    cancel_order: FakeCommands[CancelOrder] = field(init=False)
    order_watch: WatchedReads[OrderId, Order] = field(init=False)
    numbers: "count[int]" = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.charge_points = FakeCommands(self._charge)
        self.check_out = FakeCommands(self._check_out)
        self.cancel_order = FakeCommands(self._cancel)
        self.order_watch = WatchedReads(self._orders_by_id, most_watches=2)

    def use_cases(self) -> UseCases:
        return UseCases(
            users=FakeUsers(),
            place_order=self.place_order,
            charge_points=self.charge_points,
            issue_coupon=self.coupons,
            orders=self.orders,
            balances=self.balances,
            catalogue=FakeCatalogue(),
            ranking=FakeRanking(),
            coupons=self.coupons,
            carts=self.carts,
            change_cart=self.carts,
            check_out=self.check_out,
            cancel_order=self.cancel_order,
            order_watch=self.order_watch,
            entries=self.entries,
            health=self.health,
            new_id=lambda: UUID(int=next(self.numbers)),
        )

    def with_health(self, **changes: object) -> None:
        self.health.health = replace(WELL, **changes)  # type: ignore[arg-type]  # its own fields

    def untouched(self) -> bool:
        """Tell whether no command came as far as a use case."""
        commands = (
            self.place_order, self.charge_points, self.check_out, self.cancel_order, self.carts, self.coupons,
        )  # fmt: skip
        return not any(each.received for each in commands)

    def _charge(self, command: ChargePoints) -> Answer | Refused:
        decision = charge(self.balances.balances, [command], NOW)
        self.balances.balances.update(decision.balances)
        outcome: Charged | Refusal = decision.outcomes[0]
        return charge_answer(command, outcome)

    def _check_out(self, command: CheckOut) -> Answer | Refused:
        cart = self.carts.carts.get(command.user_id) or Cart(user_id=command.user_id)
        lines = tuple(WantedLine(product_id=line.product_id, quantity=line.quantity) for line in cart.lines)
        order = PlaceOrder(order_id=command.order_id, user_id=command.user_id, lines=lines, coupon_id=command.coupon_id)
        outcome: Order | Refusal = EMPTY
        if lines:
            (outcome,) = place(PRODUCTS, [order], NOW)
        if isinstance(outcome, Order):
            self.carts.carts |= {each.user_id: each for each in emptied([command.user_id], NOW)}
        return order_answer(order, outcome)

    def _cancel(self, command: CancelOrder) -> Answer | Refused:
        decision = decide_cancels(self.sagas, [command], NOW)
        self.sagas |= {each.after.order.id: each.after for each in decision.transitions}
        return cancel_answer(command, decision.outcomes[0])

    async def _orders_by_id(self, order_ids: Collection[OrderId]) -> Mapping[OrderId, Order]:
        return {order.id: order for order in self.orders.orders if order.id in order_ids}


def headers(user: int = 1, key: str | None = "key-1") -> dict[str, str]:
    named = {} if key is None else {"Idempotency-Key": key}
    return {"Authorization": f"Bearer token-of-{user}", **named}


@asynccontextmanager
async def client_of(world: World) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(world.use_cases()))
    async with httpx.AsyncClient(transport=transport, base_url="http://doorbuster.test") as client:
        yield client
