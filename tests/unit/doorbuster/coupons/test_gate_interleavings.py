"""Whatever becomes of gate, database and processes: never too many, never twice, and in the end none is held back."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from doorbuster.coupons.gate_upkeep import GateBuilder, GateUpkeep
from doorbuster.coupons.issue_ports import Asked, GateUnavailable
from doorbuster.coupons.issuing import IssueCoupon, Issued, IssueOutcome, IssueRefusal
from doorbuster.coupons.known_coupons import FRESH_SECONDS
from doorbuster.kernel.errors import DoorbusterError, NotAccepted, OutcomeUnknown
from doorbuster.kernel.ids import UserId
from tests.unit.doorbuster.coupons.gate_contract import opened
from tests.unit.doorbuster.coupons.issues import COUPON, MemoryCoupons, command, coupon
from tests.unit.doorbuster.coupons.test_issue_service import Shop

USERS = range(1, 13)
users = st.lists(st.sampled_from(USERS), min_size=1, max_size=8)
steps = st.one_of(
    st.tuples(st.just("ask"), users),
    st.tuples(st.just("ask, and no primary"), users),
    st.tuples(st.just("ask, and no answer to a COMMIT that was made"), users),
    st.tuples(st.just("ask, and no answer to a COMMIT that was not made"), users),
    st.tuples(st.just("claim, and die"), users),
    st.tuples(st.just("lose claims"), users),
    st.tuples(st.sampled_from(["lose the gate", "Redis goes", "Redis comes", "look", "rebuild", "restock", "wait"])),
)


class Unreliable(MemoryCoupons):
    """A database that commits, and whose answer gets lost when a test says so."""

    answer_lost = False

    async def issue(self, commands: Sequence[IssueCoupon]) -> Sequence[IssueOutcome | DoorbusterError]:
        outcomes = await super().issue(commands)
        if self.answer_lost:
            self.answer_lost = False
            return [OutcomeUnknown("no answer")] * len(commands)
        return outcomes


class World:
    """Two processes, a gate, a database, and the watch."""

    def __init__(self) -> None:
        self.database = Unreliable(coupons={COUPON: coupon(total=4)})
        first = Shop(database=self.database)
        self.gate, self.clock = first.gate, first.clock
        self.shops = [first, Shop(database=self.database, gate=self.gate, clock=self.clock)]
        self.asked = 0
        self.told: dict[int, set[object]] = {}

    async def ask(self, numbers: Sequence[int]) -> Sequence[object]:
        self.asked += 1
        commands = [command(self.asked * 100 + place, user) for place, user in enumerate(numbers)]
        outcomes = await self.shops[self.asked % 2].run(*commands)
        for each, outcome in zip(commands, outcomes, strict=True):
            if isinstance(outcome, Issued):
                self.told.setdefault(each.user_id, set()).add(outcome.issue.id)
        self.check()
        return outcomes

    async def step(self, name: str, numbers: Sequence[int] = ()) -> None:
        if name.startswith("ask"):
            await self.ask_while(name, numbers)
        elif name in {"look", "rebuild"}:
            await self.mend(name)
        elif name == "claim, and die" and not self.gate.gone:
            user_ids = tuple(dict.fromkeys(map(UserId, numbers)))
            epoch = self.database.coupons[COUPON].epoch
            await self.gate.claim([Asked(coupon_id=COUPON, epoch=epoch, user_ids=user_ids)])
        else:
            self.happen(name, numbers)

    async def ask_while(self, name: str, numbers: Sequence[int]) -> None:
        self.database.answer_lost = name == "ask, and no answer to a COMMIT that was made"
        if name == "ask, and no primary":
            self.database.failures = [NotAccepted("no primary")]
        elif name == "ask, and no answer to a COMMIT that was not made":
            self.database.failures = [OutcomeUnknown("no answer")]
        await self.ask(numbers)
        self.database.failures, self.database.answer_lost = [], False

    def happen(self, name: str, numbers: Sequence[int]) -> None:
        row, gate = self.database.coupons[COUPON], self.gate.gates.get(COUPON)
        match name:
            case "lose claims" if gate is not None:
                for number in numbers:
                    gate.users.pop(UserId(number), None)
            case "lose the gate":
                self.gate.gates.clear()
            case "Redis goes" | "Redis comes":
                self.gate.gone = name == "Redis goes"
            case "restock":
                self.database.coupons[COUPON] = replace(row, total=row.total + 1, epoch=row.epoch + 1)
            case "wait":
                self.wait()

    async def mend(self, name: str) -> None:
        try:
            if name == "look":
                assert (await GateUpkeep(self.gate, self.database).look()).failure is None
            else:
                await GateBuilder(self.gate, self.database).rebuild(COUPON)
        except GateUnavailable:
            assert self.gate.gone

    def wait(self) -> None:
        self.clock.seconds += 10 * FRESH_SECONDS
        self.gate.now_ms += 20_000

    def check(self) -> None:
        row = self.database.coupons[COUPON]
        holders = {user for _, user in self.database.issues}
        assert row.issued == len(holders) <= row.total
        assert all(ids == {self.database.issues[COUPON, UserId(user)].id} for user, ids in self.told.items())

    async def end_well(self) -> None:
        """Everything is back, and the watch has looked: now nobody is held back any more."""
        self.gate.gone = False
        for _ in range(3):
            self.wait()
            await self.mend("look")
        assert self.gate.gates[COUPON].users.keys() == {user for _, user in self.database.issues}
        outcomes = await self.ask(list(USERS))
        row = self.database.coupons[COUPON]
        assert row.issued == min(row.total, len(USERS))
        assert all(isinstance(each, Issued) or each is IssueRefusal.SOLD_OUT for each in outcomes)
        # Who has the coupon is told so also by the process that has just turned everybody else away.
        assert sum(isinstance(each, Issued) for each in await self.ask(list(USERS))) == row.issued


@given(st.lists(steps, max_size=25))
def test_never_too_many_never_twice_and_in_the_end_all_units_are_to_be_had(taken: list[tuple[object, ...]]) -> None:
    async def run() -> None:
        world = World()
        await opened(world.gate, world.database.coupons[COUPON])
        for each in taken:
            await world.step(*each)  # type: ignore[arg-type]  # a name, and users where it wants some
        await world.end_well()

    with capture_logs():
        asyncio.run(run())
