"""Use cases of the issue: the gate in front, the decision in the database, and what the issuer group does (R16)."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from doorbuster.contracts.bodies import CouponIssued
from doorbuster.coupons.coupon import Issue
from doorbuster.coupons.gatekeeper import Gatekeeper
from doorbuster.coupons.issue_ports import (
    Admission,
    Asked,
    Claim,
    GateState,
    IssueRepository,
    IssuerRepository,
    Ledger,
)
from doorbuster.coupons.issuing import Holder, IssueCoupon, Issued, IssueOutcome, IssueRefusal, IssueState, decide
from doorbuster.coupons.known_coupons import Known, KnownCoupons
from doorbuster.coupons.losers import RecentLosers
from doorbuster.kernel.deciding import deciding
from doorbuster.kernel.errors import DoorbusterError, OutcomeUnknown
from doorbuster.kernel.ids import CouponId, IssueId, UserId

Outcome: TypeAlias = IssueOutcome | DoorbusterError


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What a transaction did with its commands, in their order, and the events about it."""

    outcomes: Sequence[IssueOutcome]
    events: Sequence[CouponIssued]


class IssueDesk:
    """Decides a batch inside a transaction."""

    async def handle(
        self, repository: IssueRepository, commands: Sequence[IssueCoupon], now: datetime, *, may_write: bool
    ) -> Written:
        """Issue what can be issued; return what became of each command."""
        # In this order: behind the locks of the coupons nobody adds an issue that we then don't see.
        coupons = await repository.lock_coupons({command.coupon_id for command in commands})
        issues = await repository.find_issues({command.holder for command in commands})
        state = IssueState(coupons=coupons, issues=issues)
        with deciding():
            decision = decide(state, commands, now, may_write=may_write)
        await repository.save(state, decision)
        return Written(outcomes=decision.outcomes, events=[_event(issue) for issue in decision.issues])


class IssuerService:
    """What the issuer group does with a batch: accepted issues become ISSUED, once (R16)."""

    async def handle(
        self, repository: IssuerRepository, bodies: Sequence[CouponIssued], now: datetime
    ) -> Sequence[CouponIssued]:
        """Finish the issues; there is nothing to tell anybody."""
        await repository.finish({IssueId(body.issue_id) for body in bodies}, now)
        return ()


class FirstCome:
    """A batch of commands from the API: losers are turned away at the gate, the database decides about the rest."""

    def __init__(
        self,
        *,
        coupons: KnownCoupons,
        gate: Gatekeeper,
        ledger: Ledger,
        losers: RecentLosers,
        monotonic: Callable[[], float],
    ) -> None:
        """Take what the commands pass, in this order, the memory of who lost, and seconds that only grow."""
        self._coupons = coupons
        self._gate = gate
        self._ledger = ledger
        self._losers = losers
        self._monotonic = monotonic

    async def run(self, commands: Sequence[IssueCoupon]) -> Sequence[Outcome]:
        """Return an outcome for each command, in their order, or what its caller is to be told.

        Raises:
            NotAccepted: the primary can't be asked which coupons there are; nothing was done.
        """
        known = await self._coupons.find({command.coupon_id for command in commands})
        at = self._monotonic()
        outcomes: dict[int, Outcome] = {
            place: refusal
            for place, command in enumerate(commands)
            if (refusal := _refused_at_once(known[command.coupon_id], at)) is not None
        }
        waiting = {place: command for place, command in enumerate(commands) if place not in outcomes}
        admissions = await self._gate.claim(_asked(list(waiting.values()), known))
        lost = {place: each for place, each in waiting.items() if _has_lost(each, admissions)}
        outcomes |= dict.fromkeys(lost, IssueRefusal.SOLD_OUT)
        through = {place: command for place, command in waiting.items() if place not in lost}
        outcomes |= dict(zip(through, await self._decided(list(through.values()), known, admissions), strict=True))
        self._note(commands, outcomes)
        return [outcomes[place] for place in range(len(commands))]

    async def _decided(
        self,
        commands: Sequence[IssueCoupon],
        known: Mapping[CouponId, Known],
        admissions: Mapping[CouponId, Admission],
    ) -> Sequence[Outcome]:
        """Have the database decide; claims of those who surely have nothing are taken back.

        Holders whom the gate may not know are told to it: else it calls the coupon sold out to them.
        """
        if not commands:
            return ()
        outcomes = await self._ledger.issue(commands)
        # A user may stand in a batch twice: he has what either of his commands brought.
        perhaps = {
            command.holder
            for command, outcome in zip(commands, outcomes, strict=True)
            if isinstance(outcome, Issued | OutcomeUnknown)
        }
        failed = [each for each in commands if each.holder not in perhaps and _may_have_claimed(each, admissions)]
        await self._gate.release(_asked(failed, known))
        await self._gate.confirm(_uncounted(outcomes, known, admissions))
        return outcomes

    def _note(self, commands: Sequence[IssueCoupon], outcomes: Mapping[int, Outcome]) -> None:
        losers: defaultdict[CouponId, list[UserId]] = defaultdict(list)
        available: set[CouponId] = set()
        holders: set[Holder] = set()
        for place, command in enumerate(commands):
            match outcomes[place]:
                case IssueRefusal.SOLD_OUT:
                    losers[command.coupon_id].append(command.user_id)
                case Issued(repeated=repeated):
                    holders.add(command.holder)
                    if not repeated:
                        available.add(command.coupon_id)
        for coupon_id, user_ids in losers.items():
            self._losers.remember(coupon_id, user_ids)
        for holder in holders:
            # He may have lost a moment ago, and asks for his issue next.
            self._losers.forget_holder(holder)
        for coupon_id in available - losers.keys():
            self._losers.forget(coupon_id)


def _refused_at_once(known: Known, at: float) -> IssueRefusal | None:
    """Return why nobody can have the coupon now, if that is certain without a look.

    The end of the sale isn't among it: who has the coupon may ask for it again at any time.
    """
    if known.coupon is None:
        return IssueRefusal.UNKNOWN_COUPON
    return IssueRefusal.NOT_YET if known.surely_not_yet(at) else None


def _asked(commands: Collection[IssueCoupon], known: Mapping[CouponId, Known]) -> Sequence[Asked]:
    users: defaultdict[CouponId, dict[UserId, None]] = defaultdict(dict)
    for command in commands:
        users[command.coupon_id][command.user_id] = None
    return [
        Asked(coupon_id=coupon_id, epoch=coupon.epoch, user_ids=tuple(user_ids))
        for coupon_id, user_ids in users.items()
        if (coupon := known[coupon_id].coupon) is not None
    ]


def _has_lost(command: IssueCoupon, admissions: Mapping[CouponId, Admission]) -> bool:
    return admissions[command.coupon_id].claims.get(command.user_id) is Claim.SOLD_OUT


def _may_have_claimed(command: IssueCoupon, admissions: Mapping[CouponId, Admission]) -> bool:
    """Tell whether this batch may have made the user's claim; also a gate that didn't answer may have done it."""
    admission = admissions[command.coupon_id]
    if admission.state is GateState.UNAVAILABLE:
        return True
    return admission.claims.get(command.user_id) is Claim.CLAIMED


def _uncounted(
    outcomes: Sequence[Outcome], known: Mapping[CouponId, Known], admissions: Mapping[CouponId, Admission]
) -> Sequence[Asked]:
    """Return who has a coupon, but perhaps no claim in the gate of the coupon's epoch."""
    users: defaultdict[tuple[CouponId, int], dict[UserId, None]] = defaultdict(dict)
    for outcome in outcomes:
        if isinstance(outcome, Issued) and not _is_counted(outcome, known, admissions):
            users[outcome.issue.coupon_id, outcome.epoch][outcome.issue.user_id] = None
    return [
        Asked(coupon_id=coupon_id, epoch=epoch, user_ids=tuple(user_ids))
        for (coupon_id, epoch), user_ids in users.items()
    ]


def _is_counted(issued: Issued, known: Mapping[CouponId, Known], admissions: Mapping[CouponId, Admission]) -> bool:
    """Tell whether the gate knows the holder; the claim of another batch doesn't count, which may take it back."""
    issue = issued.issue
    coupon = known[issue.coupon_id].coupon
    if coupon is None or coupon.epoch != issued.epoch:
        # Made anew meanwhile, and perhaps its rows were counted before this one was there.
        return False
    claim = admissions[issue.coupon_id].claims.get(issue.user_id)
    return claim is Claim.CLAIMED or (claim is Claim.HELD and issued.repeated)


def _event(issue: Issue) -> CouponIssued:
    return CouponIssued(issue_id=issue.id, coupon_id=issue.coupon_id, user_id=issue.user_id)
