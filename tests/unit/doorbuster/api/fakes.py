"""What stands behind the routes in these tests: use cases in memory, and a client of the whole application."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count
from typing import Generic, TypeVar
from uuid import UUID

import httpx

from doorbuster.api.answers import charge_answer, order_answer
from doorbuster.api.app import create_app
from doorbuster.api.use_cases import UseCases
from doorbuster.infra.auth.jwks import IssuerUnavailable
from doorbuster.infra.auth.tokens import AdminTokenRefused, TokenRefused
from doorbuster.infra.batches.answers import Answer, BodyMismatch, Outcome, Refused
from doorbuster.infra.batches.idempotency_keys import Keyed
from doorbuster.infra.batches.in_flight import KeyInFlight
from doorbuster.infra.cache.entries import Entry
from doorbuster.infra.health import Health, Pool, State
from doorbuster.kernel.ids import OrderId, ProductId, UserId
from doorbuster.kernel.refusals import Refusal
from doorbuster.orders.model import Order, PlaceOrder, place
from doorbuster.orders.service import LONGEST_PAGE
from doorbuster.points.model import Charged, ChargePoints, charge
from doorbuster.products.documents import product_body
from doorbuster.products.model import Product
from doorbuster.products.search import Position

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


class FakeCatalogue:
    async def find(self, product_id: ProductId) -> Entry | None:
        product = PRODUCTS.get(product_id)
        return None if product is None else Entry(version=product.version, body=product_body(product))

    async def page(self, *, after: ProductId, limit: int) -> Sequence[Product]:
        return [product for number, product in sorted(PRODUCTS.items()) if number > after][:limit]

    async def search(self, prefix: str, *, behind: Position | None, limit: int) -> Sequence[Product]:
        place = ("", 0) if behind is None else (behind.name, behind.id)
        named = sorted((each.name, each.id) for each in PRODUCTS.values() if each.name.startswith(prefix))
        return [PRODUCTS[product_id] for name, product_id in named if (name, product_id) > place][:limit]


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
    place_order: FakeCommands[PlaceOrder] = field(default_factory=lambda: FakeCommands(_place))
    charge_points: FakeCommands[ChargePoints] = field(init=False)
    numbers: "count[int]" = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.charge_points = FakeCommands(self._charge)

    def use_cases(self) -> UseCases:
        return UseCases(
            users=FakeUsers(),
            place_order=self.place_order,
            charge_points=self.charge_points,
            orders=self.orders,
            balances=self.balances,
            catalogue=FakeCatalogue(),
            health=self.health,
            new_id=lambda: UUID(int=next(self.numbers)),
        )

    def with_health(self, **changes: object) -> None:
        self.health.health = replace(WELL, **changes)  # type: ignore[arg-type]  # its own fields

    def untouched(self) -> bool:
        """Tell whether no command came as far as a use case."""
        return not self.place_order.received and not self.charge_points.received

    def _charge(self, command: ChargePoints) -> Answer | Refused:
        decision = charge(self.balances.balances, [command], NOW)
        self.balances.balances.update(decision.balances)
        outcome: Charged | Refusal = decision.outcomes[0]
        return charge_answer(command, outcome)


def headers(user: int = 1, key: str | None = "key-1") -> dict[str, str]:
    named = {} if key is None else {"Idempotency-Key": key}
    return {"Authorization": f"Bearer token-of-{user}", **named}


@asynccontextmanager
async def client_of(world: World) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(world.use_cases()))
    async with httpx.AsyncClient(transport=transport, base_url="http://doorbuster.test") as client:
        yield client
