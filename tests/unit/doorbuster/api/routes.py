"""Every route with a request that succeeds, and who may send it: what the tests of all routes begin with."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any, NoReturn
from uuid import UUID

import httpx

from doorbuster.api.app import OPENAPI_PATH, create_app, create_routes
from doorbuster.api.use_cases import UseCases, Users
from doorbuster.carts.model import Cart, CartLine
from doorbuster.contracts.bodies import OrderLine
from doorbuster.coupons.coupon import Issue, IssueStatus
from doorbuster.kernel.ids import IssueId, OrderId, ProductId, UserId
from doorbuster.orders.model import Order, OrderStatus, begin
from doorbuster.points.model import Entry, EntryKind
from tests.unit.doorbuster.api.fakes import NOW, World
from tests.unit.doorbuster.coupons.issues import COUPON

OWNER, OTHER = UserId(1), UserId(2)
OWNERS_TOKEN = "token-of-1"
PENDING_ID, PAID_ID = OrderId(UUID(int=70)), OrderId(UUID(int=71))
ISSUE_ID = IssueId(UUID(int=72))
CHARGE_ID = UUID(int=73)
OWNERS_OWN = tuple(str(each) for each in (PENDING_ID, PAID_ID, ISSUE_ID, CHARGE_ID))
BALANCE = 777_777


class Policy(StrEnum):
    """Who may call a route."""

    PUBLIC = "public"
    """Everybody, with or without a token."""
    SELF = "self"
    """Every user: it is about whoever asks, and nothing in it names anybody else."""
    OWNED = "owned"
    """The path names a thing of somebody's: anybody else's is as unknown as one that never was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One route, and a request of the owner's that it answers with `status`.

    Attributes:
        template: as the OpenAPI document writes it.
        path: the same, about things that are there and the owner's.
        body: None if it takes none.
        keyed: whether it wants an idempotency key.
    """

    method: str
    template: str
    path: str
    policy: Policy
    status: int = 200
    body: Mapping[str, Any] | None = field(default=None, hash=False)
    keyed: bool = False

    def __str__(self) -> str:
        return f"{self.method} {self.template}"

    def headers(self, token: str | None = OWNERS_TOKEN) -> dict[str, str]:
        """Return what the request's headers are with this token."""
        own = {} if token is None else {"Authorization": f"Bearer {token}"}
        typed = {} if self.body is None else {"Content-Type": "application/json"}
        return own | typed | ({"Idempotency-Key": "key-1"} if self.keyed else {})


_ORDERS, _CART, _COUPONS = "/api/v1/orders", "/api/v1/cart", "/api/v1/coupons"
_LINE = {"product_id": 1, "quantity": 2}

ROUTES = (
    Route(
        method="POST", template=_ORDERS, path=_ORDERS, policy=Policy.SELF,
        status=202, body={"lines": [_LINE], "coupon_id": 5}, keyed=True,
    ),
    Route(method="GET", template=_ORDERS, path=_ORDERS, policy=Policy.SELF),
    Route(method="GET", template=f"{_ORDERS}/{{order_id}}", path=f"{_ORDERS}/{PENDING_ID}", policy=Policy.OWNED),
    Route(
        method="POST", template=f"{_ORDERS}/{{order_id}}/cancellation", path=f"{_ORDERS}/{PENDING_ID}/cancellation",
        policy=Policy.OWNED, body={}, keyed=True,
    ),
    # Of an order that is final: the stream ends at once.
    Route(
        method="GET", template=f"{_ORDERS}/{{order_id}}/events", path=f"{_ORDERS}/{PAID_ID}/events",
        policy=Policy.OWNED,
    ),
    Route(method="GET", template="/api/v1/products", path="/api/v1/products", policy=Policy.PUBLIC),
    Route(
        method="GET", template="/api/v1/products/ranking", path="/api/v1/products/ranking", policy=Policy.PUBLIC
    ),
    Route(
        method="GET", template="/api/v1/products/{product_id}", path="/api/v1/products/1", policy=Policy.PUBLIC
    ),
    Route(
        method="POST", template="/api/v1/points/charges", path="/api/v1/points/charges", policy=Policy.SELF,
        status=201, body={"amount": 5}, keyed=True,
    ),
    Route(method="GET", template="/api/v1/points", path="/api/v1/points", policy=Policy.SELF),
    Route(method="GET", template="/api/v1/points/entries", path="/api/v1/points/entries", policy=Policy.SELF),
    Route(method="GET", template=_CART, path=_CART, policy=Policy.SELF),
    Route(
        method="PUT", template=f"{_CART}/lines/{{product_id}}", path=f"{_CART}/lines/2", policy=Policy.SELF,
        body={"quantity": 3},
    ),
    Route(
        method="DELETE", template=f"{_CART}/lines/{{product_id}}", path=f"{_CART}/lines/1", policy=Policy.SELF
    ),
    Route(
        method="POST", template=f"{_CART}/checkout", path=f"{_CART}/checkout", policy=Policy.SELF,
        status=202, body={"coupon_id": 5}, keyed=True,
    ),
    Route(
        method="POST", template=f"{_COUPONS}/{{coupon_id}}/issues", path=f"{_COUPONS}/{COUPON}/issues",
        policy=Policy.SELF, status=202, body={},
    ),
    Route(
        method="GET", template="/api/v1/coupon-issues/{issue_id}", path=f"/api/v1/coupon-issues/{ISSUE_ID}",
        policy=Policy.OWNED,
    ),
    Route(
        method="GET", template=f"{_COUPONS}/{{coupon_id}}", path=f"{_COUPONS}/{COUPON}", policy=Policy.PUBLIC
    ),
    Route(method="GET", template="/api/v1/health", path="/api/v1/health", policy=Policy.PUBLIC),
    Route(method="GET", template=OPENAPI_PATH, path=OPENAPI_PATH, policy=Policy.PUBLIC),
)  # fmt: skip
CLOSED = tuple(route for route in ROUTES if route.policy is not Policy.PUBLIC)
WITH_A_BODY = tuple(route for route in ROUTES if route.body is not None)
KEYED = tuple(route for route in ROUTES if route.keyed)


def route(text: str) -> Route:
    """Return the route that is written so, such as `GET /api/v1/orders`."""
    (found,) = (each for each in ROUTES if str(each) == text)
    return found


def document() -> dict[str, Any]:
    """Return the OpenAPI document."""
    return create_routes(World().use_cases()).openapi()


def stocked() -> World:
    """Return a world in which both users have a cart and points, and the owner orders, an issue and a history."""
    world = World()
    line = OrderLine(product_id=1, quantity=1, unit_price=100)
    pending = Order(id=PENDING_ID, user_id=OWNER, lines=(line,), total=100, created_at=NOW)
    world.orders.orders = [pending, replace(pending, id=PAID_ID, status=OrderStatus.PAID, finished_at=NOW)]
    world.sagas[PENDING_ID] = begin(pending)
    world.coupons.memory.issues[COUPON, OWNER] = Issue(
        id=ISSUE_ID, coupon_id=COUPON, user_id=OWNER, status=IssueStatus.ACCEPTED, created_at=NOW
    )
    for user in (OWNER, OTHER):
        world.carts.carts[user] = Cart(user_id=user, lines=(CartLine(product_id=ProductId(1), quantity=1),))
    world.balances.balances = {OWNER: BALANCE, OTHER: 5}
    world.entries.entries = [
        Entry(transaction_id=CHARGE_ID, kind=EntryKind.CHARGE, account="user:1", amount=BALANCE, created_at=NOW)
    ]
    return world


class Untouchable:
    """A use case that nothing may reach."""

    def __getattr__(self, name: str) -> Callable[..., NoReturn]:
        def reached(*_: object, **__: object) -> NoReturn:
            raise AssertionError(f"{name} was reached")

        return reached


def untouchable() -> UseCases:
    """Return use cases of which only the look at tokens works: whatever comes further is a bug, and answered 500."""
    use_cases = World().use_cases()
    below = {each.name: Untouchable() for each in fields(UseCases) if each.name not in {"users", "new_id"}}
    return replace(use_cases, **below)  # type: ignore[arg-type]  # an Untouchable stands for anything


@asynccontextmanager
async def client_with(use_cases: UseCases, users: Users | None = None) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client of the whole application on these use cases, perhaps with another look at tokens."""
    app = create_app(use_cases if users is None else replace(use_cases, users=users))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://doorbuster.test") as client:
        yield client


async def ask(client: httpx.AsyncClient, route: Route, **changes: Any) -> httpx.Response:
    """Send the route's own request, with some of its parts changed."""
    parts = {"headers": route.headers(), **changes}
    if "content" not in parts and route.body is not None:
        parts["json"] = route.body
    return await client.request(route.method, parts.pop("path", route.path), **parts)
