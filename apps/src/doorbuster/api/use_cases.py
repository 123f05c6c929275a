"""What the routes need from below; `bootstrap` binds it to servers, tests to fakes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar
from uuid import UUID

from starlette.requests import Request

from doorbuster.infra.batches.answers import Outcome
from doorbuster.infra.batches.idempotency_keys import Keyed
from doorbuster.infra.cache.entries import Entry
from doorbuster.infra.health import Health
from doorbuster.kernel.ids import OrderId, ProductId, UserId
from doorbuster.orders.model import Order, PlaceOrder
from doorbuster.points.model import ChargePoints
from doorbuster.products.model import Product
from doorbuster.products.search import Position

C = TypeVar("C")


class Users(Protocol):
    """Verifies tokens."""

    async def user_of(self, token: str) -> UserId:
        """Return whose token it is; raises TokenRefused, AdminTokenRefused or IssuerUnavailable."""
        ...


class Commands(Protocol[C]):
    """Runs the commands of one use case."""

    async def run(self, keyed: Keyed[C], *, user: int) -> Outcome:
        """Return the outcome; raises KeyInFlight, NotAccepted or OutcomeUnknown."""
        ...


class OwnOrders(Protocol):
    """Reads a buyer's orders (R5)."""

    async def find(self, order_id: OrderId, *, user_id: UserId) -> Order | None:
        """Return the order; None if there is none, or it is another buyer's."""
        ...

    async def page(self, user_id: UserId, *, before: OrderId | None, limit: int) -> Sequence[Order]:
        """Return the buyer's orders that are older than `before`, newest first."""
        ...


class Balances(Protocol):
    """Reads a user's points (R5)."""

    async def find(self, user_id: UserId) -> int | None:
        """Return the balance; None if the user has no account."""
        ...


class Catalogue(Protocol):
    """Reads products."""

    async def find(self, product_id: ProductId) -> Entry | None:
        """Return the product's document and version; None if there is none."""
        ...

    async def page(self, *, after: ProductId, limit: int) -> Sequence[Product]:
        """Return products behind `after`, ascending by id."""
        ...

    async def search(self, prefix: str, *, behind: Position | None, limit: int) -> Sequence[Product]:
        """Return products whose names begin so, behind a position, by name and id."""
        ...


class HealthCheck(Protocol):
    """Looks at what the API leans on."""

    async def check(self) -> Health:
        """Return what was seen within the last second or so; never raises because something is gone."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class UseCases:
    """All that the routes do.

    Attributes:
        new_id: mints the ids of orders and charges, once a request (R1).
    """

    users: Users
    place_order: Commands[PlaceOrder]
    charge_points: Commands[ChargePoints]
    orders: OwnOrders
    balances: Balances
    catalogue: Catalogue
    health: HealthCheck
    new_id: Callable[[], UUID]


def use_cases_of(request: Request) -> UseCases:
    """Return the use cases of the application that the request came to."""
    use_cases: UseCases = request.app.state.use_cases
    return use_cases
