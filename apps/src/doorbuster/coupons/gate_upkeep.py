"""Looks after the gates: claims become what the rows are, and a gate that is missing or wrong is made anew (R16)."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from doorbuster.coupons.coupon import Coupon
from doorbuster.coupons.issue_ports import MOST_OLD_CLAIMS, CouponKeeping, GateRepair, GateView
from doorbuster.kernel.errors import DoorbusterError
from doorbuster.kernel.ids import CouponId, UserId

# Longer than any attempt to commit a batch; a row that comes even later is counted by the next look.
OLD_SECONDS = 10.0
# A rebuild of a million users takes seconds; one that was ended in the middle doesn't go on.
LOADING_SECONDS = 60.0
# Coupons that one look takes on; the next one goes on behind them.
MOST_COUPONS = 200
PAGE_USERS = 1_000
# Pages of old claims that one look reads behind the first ones: 100,000 claims, some seconds.
MOST_PAGES = 200
FIRST_COUPON = CouponId(0)
FIRST_USER = UserId(0)


class Repair(StrEnum):
    """What is to be done about a gate."""

    NONE = "none"
    COUNT_ROWS = "count-rows"
    """Rows that it doesn't know are added: it lets too many through."""
    REBUILD = "rebuild"


class GateEvent(StrEnum):
    """What was done, for the metric."""

    CONFIRMED = "confirmed"
    """A claim whose row was seen."""
    RELEASED = "released"
    """A claim that never became a row."""
    COUNTED = "counted"
    """A gate that didn't know all rows."""
    REBUILT = "rebuilt"


def judge(coupon: Coupon, view: GateView) -> Repair:
    """Return what the gate needs.

    Args:
        coupon: as it was read before the gate: every row that it counts had its claim in the gate by then.
        view: the gate.
    """
    if view.epoch != coupon.epoch or view.total != coupon.total:
        return Repair.REBUILD
    if view.loading_seconds is not None:
        return Repair.REBUILD if view.loading_seconds > LOADING_SECONDS else Repair.NONE
    return Repair.COUNT_ROWS if coupon.issued > view.claims else Repair.NONE


def counts_too_many(coupon: Coupon, view: GateView) -> bool:
    """Tell whether the gate takes for rows what isn't any.

    Args:
        coupon: as it was read after the gate, so that it counts every row that somebody may have seen by then.
        view: the gate.
    """
    return view.epoch == coupon.epoch and view.confirmed > coupon.issued


@dataclass(slots=True)
class GateReport:
    """What one look did.

    Attributes:
        events: how often it did what.
        pages: of old claims that it read behind the first ones.
        failure: the first thing that went wrong with one coupon; the others were looked after nevertheless.
    """

    events: Counter[GateEvent] = field(default_factory=Counter)
    pages: int = 0
    failure: DoorbusterError | None = None


class GateBuilder:
    """Makes a gate anew from the primary, under a new epoch."""

    def __init__(self, gate: GateRepair, coupons: CouponKeeping) -> None:
        """Take the gate and the database."""
        self._gate = gate
        self._coupons = coupons

    async def rebuild(self, coupon_id: CouponId, *, behind: int = 0) -> bool:
        """Give the coupon a new epoch and a gate of it; False if there is no such coupon, or somebody else did it.

        Args:
            coupon_id: which one.
            behind: an epoch that was seen in the gate, which the new one must exceed.

        Raises:
            GateUnavailable: the gate isn't there; batches go straight to the database.
            NotAccepted, OutcomeUnknown: the database went away.
        """
        coupon = await self._coupons.next_epoch(coupon_id, behind=behind)
        return coupon is not None and await self.build(coupon)

    async def build(self, coupon: Coupon) -> bool:
        """Make the gate of the coupon's epoch; False if there is one of it or of a later one already."""
        return (
            await self._gate.begin(coupon)
            and await self.count_rows(coupon)
            and await self._gate.open(coupon.id, coupon.epoch)
        )

    async def count_rows(self, coupon: Coupon) -> bool:
        """Have the gate count everybody who has the coupon; False if it is of another epoch by now."""
        after = FIRST_USER
        # Ends with the rows: each turn begins behind the last one's.
        while page := await self._coupons.holders(coupon.id, after=after, most=PAGE_USERS):
            if not await self._gate.confirm(coupon.id, coupon.epoch, page):
                return False
            after = page[-1]
        return True


class GateUpkeep:
    """One look after the other at all gates whose coupons haven't ended."""

    def __init__(self, gate: GateRepair, coupons: CouponKeeping, *, old_seconds: float = OLD_SECONDS) -> None:
        """Take the gate, the database, and the age at which a claim should have its row."""
        self._gate = gate
        self._coupons = coupons
        self._builder = GateBuilder(gate, coupons)
        self._old_seconds = old_seconds
        self._after = FIRST_COUPON

    async def look(self) -> GateReport:
        """Mend the gates of the next coupons; return what was done.

        Raises:
            GateUnavailable: there is nothing to look after.
            NotAccepted: the database can't be asked which coupons there are.
        """
        report = GateReport()
        page = await self._coupons.open_coupons(after=self._after, most=MOST_COUPONS)
        self._after = page[-1].id if len(page) == MOST_COUPONS else FIRST_COUPON
        if not page:
            return report
        views = await self._gate.view([coupon.id for coupon in page], older_than_seconds=self._old_seconds)
        later = (await self._coupons.find(views)).coupons
        for coupon in page:
            try:
                await self._mend(coupon, views[coupon.id], later.get(coupon.id), report)
            except DoorbusterError as exc:
                # One gate that can't be mended, now or ever, must not keep the others from it.
                report.failure = report.failure or exc
        return report

    async def _mend(self, coupon: Coupon, view: GateView, later: Coupon | None, report: GateReport) -> None:
        repair = judge(coupon, view)
        if later is None or later.epoch != coupon.epoch:
            # A restock or a rebuild is under way.
            return
        if repair is Repair.REBUILD or counts_too_many(later, view):
            if await self._builder.rebuild(coupon.id, behind=view.epoch or 0):
                report.events[GateEvent.REBUILT] += 1
            return
        await self._settle(coupon, view, report)
        if repair is Repair.COUNT_ROWS and await self._builder.count_rows(coupon):
            report.events[GateEvent.COUNTED] += 1

    async def _settle(self, coupon: Coupon, view: GateView, report: GateReport) -> None:
        """Make rows or nothing of the claims that are old enough, page by page: dead ones hold back units."""
        while await self._settle_page(coupon, view, report) and len(view.old) >= MOST_OLD_CLAIMS:
            if report.pages >= MOST_PAGES:
                return
            report.pages += 1
            view = (await self._gate.view([coupon.id], older_than_seconds=self._old_seconds))[coupon.id]

    async def _settle_page(self, coupon: Coupon, view: GateView, report: GateReport) -> bool:
        """Settle the claims of one view; False if that changed nothing."""
        if not view.old:
            return False
        holding = await self._coupons.holding(coupon.id, {claim.user_id for claim in view.old})
        lost = [claim for claim in view.old if claim.user_id not in holding]
        confirmed = len(holding) if holding and await self._gate.confirm(coupon.id, coupon.epoch, holding) else 0
        released = await self._gate.release_old(coupon.id, coupon.epoch, lost) if lost else 0
        report.events += Counter({GateEvent.CONFIRMED: confirmed, GateEvent.RELEASED: released})
        return confirmed + released > 0
