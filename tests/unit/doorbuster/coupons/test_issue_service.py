"""A batch's way: what is known, the gate, the database, and back."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from doorbuster.contracts.bodies import CouponIssued
from doorbuster.coupons.gate_upkeep import GateBuilder
from doorbuster.coupons.gatekeeper import Gatekeeper
from doorbuster.coupons.guarded_gate import GuardedGate
from doorbuster.coupons.issue_ports import Claim, GateUnavailable
from doorbuster.coupons.issue_service import FirstCome, IssuerService, Outcome
from doorbuster.coupons.issuing import IssueCoupon, Issued, IssueOutcome, IssueRefusal
from doorbuster.coupons.known_coupons import FRESH_SECONDS, KnownCoupons
from doorbuster.coupons.losers import RecentLosers
from doorbuster.infra.circuits import Circuits, Dependency
from doorbuster.kernel.errors import DataRefused, DoorbusterError, NotAccepted, OutcomeUnknown
from doorbuster.kernel.ids import CouponId, IssueId, UserId
from tests.unit.doorbuster.coupons.fake_gate import FakeGate
from tests.unit.doorbuster.coupons.gate_contract import asked, claims, opened
from tests.unit.doorbuster.coupons.issues import COUPON, NOW, OTHER, UNKNOWN, Clock, MemoryCoupons, command, coupon
from tests.unit.doorbuster.coupons.test_gatekeeper import States


@dataclass
class Shop:
    """One process in front of a gate and a database, which it may share with others."""

    database: MemoryCoupons = field(default_factory=MemoryCoupons)
    gate: FakeGate = field(default_factory=FakeGate)
    clock: Clock = field(default_factory=Clock)
    losers: RecentLosers = field(init=False)
    first_come: FirstCome = field(init=False)

    def __post_init__(self) -> None:
        self.losers = RecentLosers(self.clock)
        self.first_come = FirstCome(
            coupons=KnownCoupons(self.database, monotonic=self.clock, changed=self.losers.forget),
            gate=Gatekeeper(GuardedGate(self.gate, Circuits(Dependency.REDIS, clock=self.clock)), observer=States()),
            ledger=self.database,
            losers=self.losers,
            monotonic=self.clock,
        )

    async def run(self, *commands: IssueCoupon) -> Sequence[Outcome]:
        with capture_logs():
            return await self.first_come.run(commands)

    def claimed(self) -> set[int]:
        return set(self.gate.gates[COUPON].users)


@pytest.fixture
async def shop() -> Shop:
    shop = Shop()
    await opened(shop.gate, shop.database.coupons[COUPON])
    return shop


def users(*numbers: int) -> list[IssueCoupon]:
    return [command(1_000 + number, number) for number in numbers]


def kinds(outcomes: Sequence[Outcome]) -> list[object]:
    return [type(each) if isinstance(each, Issued | Exception) else each for each in outcomes]


async def test_losers_are_turned_away_at_the_gate_and_winners_decided_by_the_database(shop: Shop) -> None:
    outcomes = await shop.run(*users(*range(1, 9)))

    assert kinds(outcomes) == [Issued] * 5 + [IssueRefusal.SOLD_OUT] * 3
    assert [each.user_id for each in shop.database.batches[0]] == [1, 2, 3, 4, 5]
    assert shop.claimed() == {1, 2, 3, 4, 5}


async def test_a_batch_of_losers_does_not_reach_the_database(shop: Shop) -> None:
    await shop.run(*users(*range(1, 6)))
    await shop.run(*users(*range(6, 9)))

    assert len(shop.database.batches) == 1


async def test_one_call_of_the_gate_and_one_batch_for_several_coupons(shop: Shop) -> None:
    shop.database.coupons[OTHER] = coupon(OTHER, total=1)
    await opened(shop.gate, shop.database.coupons[OTHER])
    shop.gate.calls.clear()

    outcomes = await shop.run(command(1, 1), command(2, 1, OTHER), command(3, 2), command(4, 2, OTHER))

    assert kinds(outcomes) == [Issued, Issued, Issued, IssueRefusal.SOLD_OUT]
    assert shop.gate.calls == ["claim"]
    assert len(shop.database.batches) == 1


async def test_who_has_the_coupon_gets_the_same_issue_also_when_it_is_sold_out(shop: Shop) -> None:
    (first, *_) = await shop.run(*users(*range(1, 6)))

    again, lost = await shop.run(command(7_000, 1), command(7_001, 6))

    assert isinstance(first, Issued)
    assert again == Issued(issue=first.issue, repeated=True)
    assert lost is IssueRefusal.SOLD_OUT


async def test_a_process_that_has_never_seen_the_winner_gives_him_his_issue(shop: Shop) -> None:
    (first, *_) = await shop.run(*users(*range(1, 6)))
    other = Shop(database=shop.database, gate=shop.gate, clock=shop.clock)
    await other.run(*users(6))

    (again,) = await other.run(command(7_000, 1))

    assert isinstance(first, Issued)
    assert again == Issued(issue=first.issue, repeated=True)


async def test_what_does_not_exist_costs_no_call_and_no_batch(shop: Shop) -> None:
    shop.gate.calls.clear()

    assert await shop.run(command(1, 1, UNKNOWN)) == [IssueRefusal.UNKNOWN_COUPON]
    assert (shop.gate.calls, shop.database.batches) == ([], [])


async def test_before_the_sale_the_database_is_asked_once_a_second(shop: Shop) -> None:
    shop.database.coupons[COUPON] = replace(coupon(), valid_from=NOW + timedelta(seconds=10))

    for _ in range(3):
        assert await shop.run(*users(1, 2)) == [IssueRefusal.NOT_YET] * 2

    assert (shop.database.reads, shop.database.batches, shop.claimed()) == (1, [], set())


async def test_after_the_sale_who_has_the_coupon_may_still_ask(shop: Shop) -> None:
    await shop.run(*users(1))
    shop.database.now = NOW + timedelta(hours=2)

    outcomes = await shop.run(command(1, 2), command(2, 1))

    assert kinds(outcomes) == [IssueRefusal.ENDED, Issued]
    assert shop.claimed() == {1}


@pytest.mark.parametrize("state", ["absent", "loading", "other epoch", "gone"])
async def test_without_a_gate_to_believe_the_database_decides_alone(state: str) -> None:
    shop = Shop()
    if state == "loading":
        await shop.gate.begin(shop.database.coupons[COUPON])
    elif state == "other epoch":
        await opened(shop.gate, coupon(total=1, epoch=7))
    shop.gate.gone = state == "gone"

    outcomes = await shop.run(*users(*range(1, 9)))

    assert kinds(outcomes) == [Issued] * 5 + [IssueRefusal.SOLD_OUT] * 3
    assert len(shop.database.batches[0]) == 8


async def test_a_gate_that_lost_claims_lets_too_many_through_and_the_database_refuses(shop: Shop) -> None:
    await shop.run(*users(1, 2, 3))
    shop.gate.gates[COUPON].users.clear()

    outcomes = await shop.run(*users(4, 5, 6, 7))

    assert kinds(outcomes) == [Issued, Issued, IssueRefusal.SOLD_OUT, IssueRefusal.SOLD_OUT]
    # What was refused is free again, so that the gate never turns away who might be served.
    assert shop.claimed() == {4, 5}


async def test_a_definite_failure_releases_the_claims_and_an_unknown_one_leaves_them(shop: Shop) -> None:
    shop.database.failures = [NotAccepted("no primary"), OutcomeUnknown("no answer")]

    assert kinds(await shop.run(*users(1, 2))) == [NotAccepted] * 2
    assert shop.claimed() == set()
    assert kinds(await shop.run(*users(3, 4))) == [OutcomeUnknown] * 2
    assert shop.claimed() == {3, 4}


async def test_a_failure_never_releases_the_claim_of_who_has_the_coupon(shop: Shop) -> None:
    await shop.run(*users(1))
    shop.database.failures = [NotAccepted("no primary")]

    await shop.run(command(9, 1), command(10, 2))

    assert shop.claimed() == {1}


async def test_who_was_issued_to_while_the_gate_was_made_anew_is_held_by_the_new_one(shop: Shop) -> None:
    class RebuildsFirst(MemoryCoupons):
        async def issue(self, commands: Sequence[IssueCoupon]) -> Sequence[IssueOutcome | DoorbusterError]:
            # All its rows were counted before those of this batch are there.
            await GateBuilder(shop.gate, self).rebuild(COUPON)
            return await super().issue(commands)

    during = Shop(database=RebuildsFirst(coupons=shop.database.coupons), gate=shop.gate)
    await during.run(*users(1, 2))
    assert await claims(shop.gate, 3, 4, 5, 1, 2, epoch=2) == [Claim.CLAIMED] * 3 + [Claim.HELD] * 2


@pytest.mark.parametrize("state", ["loading", "other epoch"])
async def test_who_was_issued_to_without_a_gate_to_believe_is_counted_by_the_one_that_is_there(state: str) -> None:
    shop = Shop()
    if state == "other epoch":
        # The process knows the coupon's last epoch for up to a second.
        await shop.run(command(1, 1, UNKNOWN), command(2, 9))
        shop.database.coupons[COUPON] = replace(shop.database.coupons[COUPON], epoch=2)
    row = shop.database.coupons[COUPON]
    await shop.gate.begin(row)

    await shop.run(*users(1, 2))

    await shop.gate.open(COUPON, row.epoch)
    assert await claims(shop.gate, 1, 2, epoch=row.epoch) == [Claim.HELD] * 2


async def test_a_claim_that_another_batch_takes_back_stays_if_it_was_issued_on(shop: Shop) -> None:
    first, second = await claims(shop.gate, 1, 2), await shop.run(*users(1))

    await shop.gate.release([asked(1, 2)])

    assert (first, kinds(second)) == ([Claim.CLAIMED] * 2, [Issued])
    assert shop.claimed() == {1}


async def test_who_is_counted_already_costs_no_further_call(shop: Shop) -> None:
    await shop.run(*users(1))
    shop.gate.calls.clear()

    await shop.run(command(9, 1), command(10, 2))

    assert shop.gate.calls == ["claim"]


async def test_a_gate_that_can_not_count_holders_changes_no_answer() -> None:
    class CountsNobody(FakeGate):
        async def confirm(self, coupon_id: CouponId, epoch: int, user_ids: Collection[UserId]) -> bool:
            raise GateUnavailable("no answer")

    assert kinds(await Shop(gate=CountsNobody()).run(*users(1))) == [Issued]


@pytest.mark.parametrize("place", [0, 1])
async def test_of_two_commands_of_a_user_one_that_fails_takes_back_no_claim_of_the_other(place: int) -> None:
    class RefusesOne(MemoryCoupons):
        async def issue(self, commands: Sequence[IssueCoupon]) -> Sequence[IssueOutcome | DoorbusterError]:
            outcomes = list(await super().issue(commands))
            outcomes[place] = DataRefused("its own fault")
            return outcomes

    shop = Shop(database=RefusesOne())
    await opened(shop.gate, shop.database.coupons[COUPON])

    await shop.run(command(1, 1), command(2, 1))

    assert shop.claimed() == {1}


async def test_losers_are_remembered_and_winners_are_not(shop: Shop) -> None:
    await shop.run(*users(*range(1, 7)))

    assert shop.losers.know((COUPON, UserId(6)))
    assert not shop.losers.know((COUPON, UserId(1)))


@pytest.mark.parametrize("repeated", [False, True])
async def test_who_lost_a_moment_ago_and_has_the_coupon_now_is_no_loser_beside_others(
    shop: Shop, *, repeated: bool
) -> None:
    await shop.run(*users(*range(1, 6)) if repeated else users(*range(2, 6)))
    shop.losers.remember(COUPON, [UserId(1)])

    # In one batch with a loser: then the coupon's other losers stay remembered.
    outcomes = await shop.run(command(9, 1), command(10, 6))

    assert kinds(outcomes) == [Issued, IssueRefusal.SOLD_OUT]
    assert not shop.losers.know((COUPON, UserId(1)))
    assert shop.losers.know((COUPON, UserId(6)))


async def test_a_restock_makes_losers_forgotten_within_what_is_known(shop: Shop) -> None:
    await shop.run(*users(*range(1, 7)))
    shop.database.coupons[COUPON] = replace(shop.database.coupons[COUPON], total=10, epoch=2)
    shop.clock.seconds = FRESH_SECONDS
    shop.losers.remember(COUPON, [UserId(6)])

    (outcome,) = await shop.run(command(1, 7))

    assert isinstance(outcome, Issued)
    assert not shop.losers.know((COUPON, UserId(6)))


async def test_the_issuer_finishes_each_issue_and_tells_nobody() -> None:
    finished: list[set[IssueId]] = []

    class Issues:
        async def finish(self, issue_ids: set[IssueId], now: object) -> int:
            finished.append(issue_ids)
            return len(issue_ids)

    body = CouponIssued(issue_id=command(1, 1).issue_id, coupon_id=COUPON, user_id=1)

    assert await IssuerService().handle(Issues(), [body, body], NOW) == ()  # type: ignore[arg-type]  # a set is one
    assert finished == [{command(1, 1).issue_id}]
