"""What the routes need from below; `bootstrap` binds it to servers, tests to fakes."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol, TypeVar
from uuid import UUID

from starlette.requests import Request

from doorbuster.carts.model import Cart, CartCommand, CheckOut
from doorbuster.coupons.coupon import Coupon, Issue
from doorbuster.coupons.issuing import IssueCoupon, IssueOutcome
from doorbuster.infra.batches.answers import Outcome
from doorbuster.infra.batches.idempotency_keys import Keyed
from doorbuster.infra.batches.watched_reads import Watched
from doorbuster.infra.cache.entries import Entry as CacheEntry
from doorbuster.infra.health import Health
from doorbuster.kernel.ids import CouponId, IssueId, OrderId, ProductId, UserId
from doorbuster.kernel.refusals import Refusal
from doorbuster.orders.cancelling import CancelOrder
from doorbuster.orders.model import Order, PlaceOrder
from doorbuster.points.history import EntryPosition
from doorbuster.points.model import ChargePoints, Entry
from doorbuster.products.model import Product
from doorbuster.products.ranking import RankedProduct
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


class OrderWatch(Protocol):
    """Sees orders change (R5)."""

    def watching(self, key: OrderId, seen: Order) -> AbstractContextManager[Watched[Order]]:
        """Give a watch over an order; raises TooManyWatches, and Overloaded when the process ends."""
        ...


class CartChanges(Protocol):
    """Changes carts."""

    async def run(self, command: CartCommand, *, user: int) -> Cart | Refusal:
        """Return the cart just after the command, or why nothing was done; raises NotAccepted or OutcomeUnknown."""
        ...


class Carts(Protocol):
    """Reads a user's cart (R5)."""

    async def find(self, user_id: UserId) -> Cart:
        """Return the cart, which may be empty."""
        ...


class Entries(Protocol):
    """Reads a user's history of points (R5)."""

    async def page(self, user_id: UserId, *, before: EntryPosition | None, limit: int) -> Sequence[Entry]:
        """Return the user's entries behind `before`, newest first."""
        ...


class Balances(Protocol):
    """Reads a user's points (R5)."""

    async def find(self, user_id: UserId) -> int | None:
        """Return the balance; None if the user has no account."""
        ...


class Catalogue(Protocol):
    """Reads products."""

    async def find(self, product_id: ProductId) -> CacheEntry | None:
        """Return the product's document and version; None if there is none."""
        ...

    async def page(self, *, after: ProductId, limit: int) -> Sequence[Product]:
        """Return products behind `after`, ascending by id."""
        ...

    async def search(self, prefix: str, *, behind: Position | None, limit: int) -> Sequence[Product]:
        """Return products whose names begin so, behind a position, by name and id."""
        ...


class Ranking(Protocol):
    """Reads the best-selling products (R11)."""

    async def best(self, limit: int) -> Sequence[RankedProduct]:
        """Return at most `limit` products, the first one first."""
        ...


class CouponIssuing(Protocol):
    """Issues coupons (R16)."""

    async def run(self, command: IssueCoupon) -> IssueOutcome:
        """Return the issue, also one that the user had before, or why there is none.

        Raises NotAccepted or OutcomeUnknown.
        """
        ...


class Coupons(Protocol):
    """Reads coupons, and a user's issues (R5)."""

    async def find(self, coupon_id: CouponId) -> Coupon | None:
        """Return the coupon; None if there is none."""
        ...

    async def find_issue(self, issue_id: IssueId, *, user_id: UserId) -> Issue | None:
        """Return the issue; None if there is none, or it is another user's."""
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
        new_id: mints the ids of orders, charges and issues, once a request (R1).
    """

    users: Users
    place_order: Commands[PlaceOrder]
    charge_points: Commands[ChargePoints]
    issue_coupon: CouponIssuing
    orders: OwnOrders
    balances: Balances
    catalogue: Catalogue
    ranking: Ranking
    coupons: Coupons
    carts: Carts
    change_cart: CartChanges
    check_out: Commands[CheckOut]
    cancel_order: Commands[CancelOrder]
    order_watch: OrderWatch
    entries: Entries
    health: HealthCheck
    new_id: Callable[[], UUID]


def use_cases_of(request: Request) -> UseCases:
    """Return the use cases of the application that the request came to."""
    use_cases: UseCases = request.app.state.use_cases
    return use_cases
