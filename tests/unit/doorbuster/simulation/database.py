"""Tables in memory with locks and transactions: what isn't committed never happened."""

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

from doorbuster.contracts.bodies import Body
from doorbuster.contracts.topics import Group
from doorbuster.coupons.coupon import Issue
from doorbuster.coupons.model import Holding, Redemption
from doorbuster.kernel.ids import IssueId, OrderId, ProductId, UserId
from doorbuster.orders.model import Saga
from doorbuster.points.model import Entry, Payment
from doorbuster.products.model import Reservation
from tests.unit.doorbuster.simulation.defects import Violation

K = TypeVar("K")
V = TypeVar("V")
# Whatever yields is one effect further; the world may do anything else before the next.
Steps = Generator[None, None, None]


@dataclass(eq=False)
class Table(Generic[K, V]):
    """Rows by key, and who holds a lock on which."""

    rows: dict[K, V] = field(default_factory=dict)
    locks: dict[K, "Transaction"] = field(default_factory=dict)


@dataclass(eq=False)
class OutboxRow:
    """A message on its way; `offset` is None while it isn't published."""

    id: int
    body: Body
    partition: int | None = None
    offset: int | None = None


class Database:
    """The tables that the saga needs, and the outbox."""

    def __init__(self) -> None:
        self.sagas = Table[OrderId, Saga]()
        self.reservations = Table[OrderId, Reservation]()
        self.stock = Table[ProductId, int]()
        self.redemptions = Table[OrderId, Redemption]()
        self.issues = Table[IssueId, Issue]()
        self.holdings: dict[Holding, IssueId] = {}
        self.payments = Table[OrderId, Payment]()
        self.balances = Table[UserId, int]()
        self.entries = Table[tuple[UUID, str, str], Entry]()
        self.charges = Table[UUID, datetime]()
        self.counted = Table[OrderId, datetime]()
        self.sales = Table[ProductId, int]()
        self.processed = Table[tuple[Group, int], datetime]()
        self.outbox: list[OutboxRow] = []
        self.unpublished: dict[int, OutboxRow] = {}
        self.newest: dict[tuple[UUID, str], OutboxRow] = {}

    def business(self) -> tuple[dict[object, object], ...]:
        """Return a copy of what a replay must leave unchanged (R12)."""
        tables: tuple[Table[object, object], ...] = (  # type: ignore[assignment]  # read only here
            self.sagas, self.reservations, self.stock, self.redemptions, self.issues, self.payments, self.balances,
            self.entries, self.charges, self.counted, self.sales,
        )  # fmt: skip
        return tuple(dict(table.rows) for table in tables)

    def send(self, bodies: Sequence[Body]) -> None:
        """Put messages into the outbox, as if committed."""
        for body in bodies:
            row = OutboxRow(id=len(self.outbox), body=body)
            self.outbox.append(row)
            self.unpublished[row.id] = row
            self.newest[body.order_id, body.type] = row


class Transaction:
    """One transaction: locks until its end, writes at its commit."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._writes: list[Callable[[], None]] = []
        self._unlocks: list[Callable[[], object]] = []

    def lock(self, table: Table[K, V], keys: Iterable[K]) -> Steps:
        """Wait until all keys are free, then hold them until the end."""
        wanted = set(keys)
        # Seldom is anything locked at all.
        while table.locks and any(table.locks.get(key, self) is not self for key in wanted):
            yield
        for key in wanted:
            if key not in table.locks:
                table.locks[key] = self
                self._unlocks.append(lambda key=key: table.locks.pop(key))  # type: ignore[misc]  # binds the key

    def write(self, table: Table[K, V], key: K, row: V) -> None:
        """Set a row at the commit."""
        self._writes.append(lambda: table.rows.__setitem__(key, row))

    def insert(self, table: Table[K, V], key: K, row: V) -> None:
        """Add a row at the commit, whose key must be new."""

        def effect() -> None:
            if key in table.rows:
                raise Violation(f"{key} is inserted twice")
            table.rows[key] = row

        self._writes.append(effect)

    def send(self, bodies: Sequence[Body]) -> None:
        """Put messages into the outbox at the commit."""
        self._writes.append(lambda: self.database.send(bodies))

    def commit(self) -> None:
        """Make all writes true at once."""
        for write in self._writes:
            write()
        self._writes.clear()

    def close(self) -> None:
        """Give up locks, and writes that were not committed."""
        for unlock in self._unlocks:
            unlock()
        self._unlocks.clear()
