"""Puts together what a person does with coupons: make one, look at them, add units, make a gate anew (R16).

Each change is one transaction, tried once: a second try after an unknown outcome could make a second coupon, or add the
units twice. Who is told so looks first.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

import structlog

from doorbuster.coupons.coupon import FIRST_EPOCH, Coupon, CouponKind
from doorbuster.coupons.gate_upkeep import FIRST_COUPON, OLD_SECONDS, GateBuilder
from doorbuster.coupons.issue_ports import GateState, GateUnavailable
from doorbuster.coupons.issue_repository import MySqlCoupons, change_coupon, make_coupon
from doorbuster.coupons.redis_gate import RedisGate
from doorbuster.infra import redis
from doorbuster.infra.mysql.database import Database
from doorbuster.infra.mysql.transactions import database_time
from doorbuster.kernel.errors import DoorbusterError
from doorbuster.kernel.ids import CouponId
from doorbuster.settings import Settings

# One statement after the other.
CONNECTIONS = 1
PAGE_COUPONS = 100

log = structlog.get_logger()


class UnknownCoupon(DoorbusterError):
    """There is no coupon with this id."""


class NoValidity(DoorbusterError):
    """A coupon would end before it begins, or has ended already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCoupon:
    """A coupon that is to be made.

    Attributes:
        value: percent or points, as `kind` says.
        valid_from: None means from now on, by the database's clock.
        valid_until: None means for `valid_for` from its beginning.
    """

    name: str
    kind: CouponKind
    value: int
    total: int
    most_discount: int | None = None
    minimum_amount: int = 0
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    valid_for: timedelta = timedelta(days=30)

    def coupon(self, now: datetime) -> Coupon:
        """Return the coupon, without an id of its own.

        Raises:
            NoValidity: there would be no moment in which it is valid.
        """
        valid_from = self.valid_from or now
        valid_until = self.valid_until or valid_from + self.valid_for
        if valid_until <= max(valid_from, now):
            raise NoValidity(f"valid from {valid_from} until {valid_until} is never, now being {now}")
        return Coupon(
            id=FIRST_COUPON,
            name=self.name,
            kind=self.kind,
            value=self.value,
            most_discount=self.most_discount,
            minimum_amount=self.minimum_amount,
            total=self.total,
            issued=0,
            valid_from=valid_from,
            valid_until=valid_until,
            epoch=FIRST_EPOCH,
            version=1,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A coupon and the state of its gate, for a person."""

    coupon: Coupon
    gate: GateState

    def document(self) -> dict[str, object]:
        """Return it as it is printed."""
        return {**asdict(self.coupon), "gate": self.gate.value}


class CouponAdmin:
    """What a person does with coupons."""

    def __init__(self, database: Database, gate: RedisGate) -> None:
        """Take the database and the gate."""
        self._database = database
        self._gate = gate
        self._coupons = MySqlCoupons(database)
        self._builder = GateBuilder(gate, self._coupons)

    async def create(self, wanted: NewCoupon) -> Shown:
        """Make a coupon and its gate.

        Raises:
            NoValidity: nothing was made.
            NotAccepted, DataRefused: the same.
            OutcomeUnknown: perhaps it was made.
        """
        async with self._database.transaction() as connection:
            coupon = await make_coupon(connection, wanted.coupon(await database_time(connection)))
        return await self._with_gate(coupon)

    async def restock(self, coupon_id: CouponId, units: int) -> Shown:
        """Give a coupon more units, and its gate a new epoch: losers may ask again at once.

        Raises:
            UnknownCoupon: there is none.
            NotAccepted: nothing was changed.
            OutcomeUnknown: perhaps it was.
        """
        async with self._database.transaction() as connection:
            coupon = await change_coupon(connection, coupon_id, units=units)
        if coupon is None:
            raise UnknownCoupon(f"there is no coupon {coupon_id}")
        return await self._with_gate(coupon)

    async def rebuild(self, coupon_id: CouponId | None = None) -> Sequence[Shown]:
        """Make the gate of a coupon anew, or those of all that haven't ended.

        Raises:
            UnknownCoupon: there is none.
            GateUnavailable: Redis is gone; batches go straight to the database.
            NotAccepted, OutcomeUnknown: the database went away.
        """
        chosen = [coupon_id] if coupon_id is not None else [each.id async for each in self._open()]
        shown = []
        for each in chosen:
            view = (await self._gate.view([each], older_than_seconds=OLD_SECONDS))[each]
            coupon = await self._coupons.next_epoch(each, behind=view.epoch or 0)
            if coupon is None:
                raise UnknownCoupon(f"there is no coupon {each}")
            await self._builder.build(coupon)
            shown.append(await self._shown(coupon))
        return shown

    async def show(self, coupon_id: CouponId) -> Shown:
        """Return a coupon.

        Raises:
            UnknownCoupon: there is none.
        """
        found = (await self._coupons.find([coupon_id])).coupons.get(coupon_id)
        if found is None:
            raise UnknownCoupon(f"there is no coupon {coupon_id}")
        return await self._shown(found)

    async def all(self) -> AsyncIterator[Shown]:
        """Yield every coupon, by id."""
        after = FIRST_COUPON
        # Ends with the coupons: each turn begins behind the last one's.
        while page := await self._coupons.page(after=after, most=PAGE_COUPONS):
            for coupon in page:
                yield await self._shown(coupon)
            after = page[-1].id

    async def _open(self) -> AsyncIterator[Coupon]:
        after = FIRST_COUPON
        while page := await self._coupons.open_coupons(after=after, most=PAGE_COUPONS):
            for coupon in page:
                yield coupon
            after = page[-1].id

    async def _with_gate(self, coupon: Coupon) -> Shown:
        try:
            await self._builder.build(coupon)
        except DoorbusterError as exc:
            # The coupon is right without it, and the watch makes the gate within its next looks.
            log.warning("coupon_gate_not_made", coupon=coupon.id, cause=str(exc))
        return await self._shown(coupon)

    async def _shown(self, coupon: Coupon) -> Shown:
        try:
            views = await self._gate.view([coupon.id], older_than_seconds=OLD_SECONDS)
        except GateUnavailable:
            return Shown(coupon=coupon, gate=GateState.UNAVAILABLE)
        return Shown(coupon=coupon, gate=views[coupon.id].state(coupon.epoch))


@asynccontextmanager
async def coupon_admin(settings: Settings) -> AsyncIterator[CouponAdmin]:
    """Yield the use cases; their connections end with the context."""
    database = Database(settings.mysql.model_copy(update={"pool_size": CONNECTIONS}))
    client = redis.connect(settings.redis)
    try:
        yield CouponAdmin(database, RedisGate(client))
    finally:
        await client.aclose()
        await database.close()
