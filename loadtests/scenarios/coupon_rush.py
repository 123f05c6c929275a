"""A crowd that wants one coupon: each visitor asks in the name of some user, thinks, and asks for another one."""

import random
from collections.abc import Iterator, Mapping
from uuid import uuid4

from loadtests.config import CouponRush, LoadPlan
from loadtests.scenarios.charging import Report, call_of
from loadtests.scenarios.claims import issues_path
from loadtests.scenarios.client import IngressClient
from loadtests.scenarios.crowding import Attendance
from loadtests.scenarios.once import Once, Reports
from loadtests.scenarios.settling import Tried, post_once, settle
from loadtests.scenarios.tokens import fetch_tokens
from loadtests.shapes.crowds import Crowd
from loadtests.witness import CallKind

# In the report, all coupons are one line.
NAME = "/api/v1/coupons/{coupon_id}/issues"


class CouponRushOnce(Once):
    """Carries a rush for a coupon out."""

    plan_kind = CouponRush

    def carry_out(self, plan: LoadPlan) -> None:
        """Let the crowd come and go.

        Raises:
            TokensUnavailable: nobody came.
        """
        assert isinstance(plan, CouponRush)  # noqa: S101 - `plan_kind` says so; for the type checker
        client = IngressClient(plan.base_url, timeout_seconds=plan.timeout_seconds, connections=plan.visitors)
        crowd = Crowd(
            visitors=plan.visitors,
            rise_seconds=plan.rise_seconds,
            hold_seconds=plan.hold_seconds,
            fall_seconds=plan.fall_seconds,
        )
        try:
            with Reports(plan, self.environment) as reports:
                tokens = fetch_tokens(client, plan.shoppers)
                with Attendance(plan, most=plan.visitors) as attendance:
                    counter = Counter(client, plan, tokens=tokens, report=reports.called)
                    attendance.receive(crowd, counter.ask, think_seconds=plan.think_seconds)
        finally:
            client.close()


class Counter:
    """Where the coupon is handed out; each ask is in the name of the next user."""

    def __init__(self, client: IngressClient, plan: CouponRush, *, tokens: Mapping[int, str], report: Report) -> None:
        """Take who is asked, everybody's token, and who is told of every try."""
        self._client = client
        self._coupon = plan.coupon
        self._tokens = tokens
        self._report = report
        self._users = _turns(plan)

    def ask(self) -> None:
        """Ask for the coupon; again, a bounded number of times, where a client of this API would (R2)."""
        user_id, key = next(self._users), str(uuid4())
        headers = {"Authorization": f"Bearer {self._tokens[user_id]}"}

        def tell(tried: Tried) -> None:
            self._report("POST", NAME, call_of(CallKind.ISSUE, key, tried, user_id=user_id, about=self._coupon))

        settle(lambda: post_once(self._client, issues_path(self._coupon), {}, headers), tell)


def _turns(plan: CouponRush) -> Iterator[int]:
    """Yield users for ever: all of them in some order, and again in another.

    So everybody asks at least once before anybody asks twice; who asks again must be given the same answer.
    """
    drawn = random.Random(plan.seed)  # noqa: S311 - no secret; it must repeat itself
    while True:
        yield from drawn.sample(plan.shoppers, plan.users)
