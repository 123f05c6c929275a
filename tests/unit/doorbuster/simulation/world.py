"""The world: actors that take turns by a seed, what goes wrong between their turns, and the quiet at the end."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random

from doorbuster.contracts.topics import Group
from doorbuster.kernel.ids import OrderId, ProductId, UserId
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
        self.supplied = {ProductId(n): self.rng.randrange(2, 12) for n in range(1, 4)}
        self.granted = {UserId(n): self.rng.randrange(0, 3_000) for n in range(1, 4)}
        self.catalogue = {
            product_id: Product(id=product_id, name="a thing", price=self.rng.randrange(100, 400), version=1)
            for product_id in self.supplied
        }
        self.database.stock.rows.update(self.supplied)
        self.database.balances.rows.update(self.granted)
        self.accepted: set[OrderId] = set()
        self.refused: set[OrderId] = set()
        self.finals: dict[OrderId, OrderStatus] = {}
        self.seen = Counter[str]()
        self.trace: list[str] = []
        self.clients_waiting = 0
        self._births: dict[str, Callable[[], Steps]] = {}
        self._actors: dict[str, Steps] = {}

    def chance(self, probability: float) -> bool:
        """Return whether something goes wrong now; never when it is calm."""
        return self.chaos and self.rng.random() < probability

    def note(self, what: str, detail: object = "") -> None:
        """Remember that something happened."""
        self.seen[what] += 1
        self.trace.append(f"{(self.now - START).total_seconds():10.3f} {what} {detail}")

    def add(self, name: str, birth: Callable[[], Steps]) -> None:
        """Let an actor live; `birth` makes it, and makes it again after a crash."""
        self._births[name] = birth
        self._actors[name] = birth()

    def turn(self) -> None:
        """Let one actor do one effect, after what may go wrong before it."""
        self.now += _TICK
        name = self.rng.choice(tuple(self._actors))
        if self.chance(0.02):
            self._actors[name].close()
            self._actors[name] = self._births[name]()
            self.note("crash", name)
        if self.chance(0.01):
            self.broker.rebalance(self.rng)
        if self.chance(0.02):
            self.now += self.rng.choice(_LEAPS)
        try:
            next(self._actors[name])
        except StopIteration:
            del self._actors[name], self._births[name]

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
        for order_id, saga in database.sagas.rows.items():
            if saga.order.status is not OrderStatus.PENDING:
                first = self.finals.setdefault(order_id, saga.order.status)
                if first is not saga.order.status:
                    raise Violation(f"order {order_id} was {first} and is {saga.order.status}")

    def _delivered(self) -> bool:
        unpublished = any(not row.published for row in self.database.outbox)
        return not (unpublished or self.clients_waiting or self.broker.lag())


def populate(world: World, member: Callable[[World, Group, int], Steps], groups: tuple[Group, ...]) -> None:
    """Let every group have its members."""
    for group in groups:
        for index in range(MEMBERS):
            world.add(f"{group}-{index}", partial(member, world, group, index))
