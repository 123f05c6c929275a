import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner, Result

from doorbuster.bootstrap.coupon_admin import NewCoupon, NoValidity, Shown, UnknownCoupon
from doorbuster.coupons.coupon import CouponKind
from doorbuster.coupons.issue_ports import GateState
from doorbuster.jobs import command_line
from doorbuster.jobs import coupons as job
from doorbuster.kernel.ids import CouponId
from doorbuster.settings import Settings
from tests.unit.doorbuster.coupons.issues import COUPON, NOW, OTHER, coupon

TENTH = ("create", "--name=a tenth", "--percentage=10", "--total=500")


class Admin:
    """Knows one coupon, and remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[object] = []

    async def create(self, wanted: NewCoupon) -> Shown:
        self.asked.append(wanted)
        return Shown(coupon=wanted.coupon(NOW), gate=GateState.OPEN)

    async def show(self, coupon_id: CouponId) -> Shown:
        if coupon_id != COUPON:
            raise UnknownCoupon(f"there is no coupon {coupon_id}")
        return Shown(coupon=coupon(), gate=GateState.ABSENT)

    async def restock(self, coupon_id: CouponId, units: int) -> Shown:
        self.asked.append((coupon_id, units))
        return Shown(coupon=coupon(), gate=GateState.OPEN)

    async def rebuild(self, coupon_id: CouponId | None) -> Sequence[Shown]:
        self.asked.append(coupon_id)
        return [Shown(coupon=coupon(), gate=GateState.OPEN)]

    async def all(self) -> AsyncIterator[Shown]:
        for each in (COUPON, OTHER):
            yield Shown(coupon=coupon(each), gate=GateState.UNAVAILABLE)


@pytest.fixture
def admin(monkeypatch: pytest.MonkeyPatch) -> Admin:
    admin = Admin()

    @asynccontextmanager
    async def coupon_admin(_: Settings) -> AsyncIterator[Admin]:
        yield admin

    monkeypatch.setattr(job, "coupon_admin", coupon_admin)
    # The runner's output is no stream that logs could go to.
    monkeypatch.setattr(command_line, "configure", lambda *_: None)
    return admin


def run(*arguments: str) -> Result:
    return CliRunner().invoke(job.main, arguments)


def test_the_options_become_a_coupon(admin: Admin) -> None:
    words = (*TENTH, "--most-discount=900", "--minimum-amount=5000", "--valid-days=2")

    result = run(*words, "--valid-from=2026-11-27T09:00:00+01:00", "--valid-until=2026-11-28")

    assert result.exit_code == 0, result.output
    assert admin.asked == [
        NewCoupon(
            name="a tenth",
            kind=CouponKind.PERCENTAGE,
            value=10,
            total=500,
            most_discount=900,
            minimum_amount=5000,
            valid_from=datetime(2026, 11, 27, 8, tzinfo=UTC),
            valid_until=datetime(2026, 11, 28, tzinfo=UTC),
            valid_for=timedelta(days=2),
        )
    ]


def test_the_answer_is_one_line_of_json_with_the_id_and_the_gate(admin: Admin) -> None:
    result = run("create", "--name=500 off", "--fixed=500", "--total=3")

    document = json.loads(result.stdout)
    assert result.stdout.count("\n") == 1
    assert {key: document[key] for key in ("id", "kind", "value", "total", "issued", "epoch", "gate")} == {
        "id": 0, "kind": "fixed", "value": 500, "total": 3, "issued": 0, "epoch": 1, "gate": "open",
    }  # fmt: skip


@pytest.mark.parametrize(
    "arguments",
    [
        ("create", "--name=x", "--total=5"),
        (*TENTH, "--fixed=5"),
        ("create", "--name=x", "--percentage=101", "--total=5"),
        ("create", "--name=x", "--percentage=10", "--total=0"),
        ("create", "--name=", "--percentage=10", "--total=1"),
        (*TENTH, "--valid-from=tomorrow"),
        ("restock", "--coupon=1", "--units=0"),
        ("show",),
    ],
)
def test_wrong_words_are_refused_and_nothing_is_done(admin: Admin, arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == 2
    assert admin.asked == []


def test_a_coupon_that_would_never_be_valid_is_refused(admin: Admin) -> None:
    with pytest.raises(NoValidity):
        NewCoupon(name="x", kind=CouponKind.FIXED, value=1, total=1, valid_until=NOW).coupon(NOW)

    assert run(*TENTH, "--valid-until=2020-01-01").exit_code == 1


def test_every_coupon_is_a_line(admin: Admin) -> None:
    assert [json.loads(line)["id"] for line in run("list").stdout.splitlines()] == [1, 2]
    assert json.loads(run("show", "--coupon=1").stdout)["gate"] == "absent"


def test_units_are_added_and_gates_made_anew(admin: Admin) -> None:
    run("restock", "--coupon=1", "--units=100")
    run("rebuild", "--coupon=1")
    run("rebuild")

    assert admin.asked == [(COUPON, 100), COUPON, None]


def test_an_unknown_coupon_ends_with_1_and_without_a_line(admin: Admin) -> None:
    result = run("show", "--coupon=99")

    assert "there is no coupon 99" in result.stderr
    assert (result.exit_code, result.stdout) == (1, "")
