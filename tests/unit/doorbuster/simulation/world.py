"""The world: actors that take turns by a seed, what goes wrong between their turns, and the quiet at the end."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import product
from random import Random
from uuid import UUID

from doorbuster.contracts.topics import Group
from doorbuster.coupons.coupon import Coupon, CouponKind, Issue, IssueStatus
from doorbuster.coupons.model import RedemptionStatus
from doorbuster.kernel.ids import CouponId, IssueId, OrderId, ProductId, UserId
from doorbuster.orders.model import OrderStatus
from doorbuster.products.model import Product
from tests.unit.doorbuster.simulation.broker import MEMBERS, Broker
from tests.unit.doorbuster.simulation.database import Database, Steps
from tests.unit.doorbuster.simulation.defects import Defect, Violation

START = datetime(2026, 1, 1, tzinfo=UTC)
# What a calm world needs at most until everything is settled; a hundred times what it takes on average.
MOST_CALM_TURNS = 60_000
_TICK = timedelta(milliseconds=25)
# Most leaps make a step overdue, few pass the business deadline.
_LEAPS = (*(timedelta(seconds=11),) * 40, timedelta(minutes=16))


class World:
    """Everything there is, under one seed.

    `chaos` says whether things may go wrong now. `finals` are the orders' final states as first seen, `accepted` and
    `refused` what clients read, `seen` counts what happened so that a test can say that it did.
    """

    def __init__(self, seed: int, defects: frozenset[Defect] = frozenset()) -> None:
        self.rng = Random(seed)
        self.defects = defects
        self.database = Database()
        self.broker = Broker()
        self.now = START
        self.chaos = True
        self.supplied = {ProductId(n): self.rng.randrange(3, 16) for n in range(1, 4)}
        self.granted = {UserId(n): self.rng.randrange(0, 3_000) for n in range(1, 4)}
        self.catalogue = {
            product_id: Product(id=product_id, name="a thing", price=self.rng.randrange(100, 400), version=1)
            for product_id in self.supplied
        }
        self.coupons = {coupon.id: coupon for coupon in _coupons(self.rng)}
        for issue in _issues(self.rng, tuple(self.granted), tuple(self.coupons)):
            self.database.issues.rows[issue.id] = issue
            self.database.holdings[issue.coupon_id, issue.user_id] = issue.id
        self.database.stock.rows.update(self.supplied)
        self.database.balances.rows.update(self.granted)
        self.accepted: set[OrderId] = set()
        self.refused: set[OrderId] = set()
        self.finals: dict[OrderId, OrderStatus] = {}
        self.seen = Counter[str]()
        self.happened: list[tuple[datetime, str, object]] = []
        self.clients_waiting = 0
        self._births: dict[str, Callable[[], Steps]] = {}
        self._actors: dict[str, Steps] = {}
        self._names: list[str] = []

    def chance(self, probability: float) -> bool:
        """Return whether something goes wrong now; never when it is calm."""
        return self.chaos and self.rng.random() < probability

    def note(self, what: str, detail: object = "") -> None:
        """Remember that something happened."""
        self.seen[what] += 1
        self.happened.append((self.now, what, detail))

    @property
    def trace(self) -> list[str]:
        """Return what happened, a line each, with the seconds since the beginning."""
        return [f"{(now - START).total_seconds():10.3f} {what} {detail}" for now, what, detail in self.happened]

    def add(self, name: str, birth: Callable[[], Steps]) -> None:
        """Let an actor live; `birth` makes it, and makes it again after a crash."""
        self._births[name] = birth
        self._actors[name] = birth()
        self._names.append(name)

    def turn(self) -> None:
        """Let one actor do one effect, after what may go wrong before it."""
        self.now += _TICK
        name = self._names[int(self.rng.random() * len(self._names))]
        if self.chaos:
            self._mishap(name)
        try:
            next(self._actors[name])
        except StopIteration:
            del self._actors[name], self._births[name]
            self._names.remove(name)

    def _mishap(self, name: str) -> None:
        luck = self.rng.random()
        if luck < 0.02:
            self._actors[name].close()
            self._actors[name] = self._births[name]()
            self.note("crash", name)
        elif luck < 0.03:
            self.broker.rebalance(self.rng)
        elif luck < 0.05:
            self.now += self.rng.choice(_LEAPS)

    def settle(self) -> None:
        """Stop all harm and go on until nothing is left to do.

        Raises:
            Violation: something is left for ever.
        """
        self.chaos = False
        for turns in range(MOST_CALM_TURNS):
            self.turn()
            if turns % 32 == 0 and self._delivered():
                if not any(saga.open for saga in self.database.sagas.rows.values()):
                    return
                self.now += timedelta(seconds=11)
        raise Violation("the world never comes to rest")

    def watch_over(self) -> None:
        """Check what must hold after every commit.

        Raises:
            Violation: it doesn't.
        """
        database = self.database
        if min(database.stock.rows.values()) < 0 or min(database.balances.rows.values()) < 0:
            raise Violation("stock or a balance is negative")
        used = [row.issue_id for row in database.redemptions.rows.values() if row.status is RedemptionStatus.USED]
        if len(used) > len(set(used)):
            raise Violation("a coupon is redeemed by two orders at once")
        for order_id, saga in database.sagas.rows.items():
            if saga.order.status is not OrderStatus.PENDING:
                first = self.finals.setdefault(order_id, saga.order.status)
                if first is not saga.order.status:
                    raise Violation(f"order {order_id} was {first} and is {saga.order.status}")

    def _delivered(self) -> bool:
        return not (self.database.unpublished or self.clients_waiting or self.broker.lag())


def _coupons(rng: Random) -> tuple[Coupon, ...]:
    """Return a percentage with an upper end and a minimum, a gift that may pay for all, and all for a short time."""
    percentage = Coupon(
        id=CouponId(1),
        name="a coupon",
        kind=CouponKind.PERCENTAGE,
        value=rng.randrange(5, 60),
        most_discount=200,
        minimum_amount=rng.randrange(100, 500),
        total=10,
        issued=0,
        valid_from=START,
        valid_until=START + timedelta(days=1),
    )
    gift = replace(
        percentage,
        id=CouponId(2),
        kind=CouponKind.FIXED,
        value=rng.randrange(100, 1_500),
        most_discount=None,
        minimum_amount=0,
    )
    soon, over = START + timedelta(seconds=10), START + timedelta(minutes=5)
    everything = replace(gift, id=CouponId(3), kind=CouponKind.PERCENTAGE, value=100, valid_from=soon, valid_until=over)
    return percentage, gift, everything


def _issues(rng: Random, users: Sequence[UserId], coupon_ids: Sequence[CouponId]) -> Iterator[Issue]:
    """Most users have most coupons, in both states of an issue."""
    for user_id, coupon_id in product(users, coupon_ids):
        if rng.random() < 0.9:
            yield Issue(
                id=IssueId(UUID(int=rng.getrandbits(128))),
                coupon_id=coupon_id,
                user_id=user_id,
                status=rng.choice(tuple(IssueStatus)),
                created_at=START,
            )


def populate(world: World, member: Callable[[World, Group, int], Steps], groups: tuple[Group, ...]) -> None:
    """Let every group have its members."""
    for group in groups:
        for index in range(MEMBERS):
            world.add(f"{group}-{index}", partial(member, world, group, index))
