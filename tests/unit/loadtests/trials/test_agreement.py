"""What scenarios expect of the applications, whose code they never import, compared with that code."""

from datetime import UTC, datetime, timedelta
from typing import Any

import click
import msgspec
import yaml

from doorbuster.audit.model import Breach, Invariant, Report, Subject, Waiting
from doorbuster.audit.rendering import as_json
from doorbuster.bootstrap.coupon_admin import NewCoupon, Shown
from doorbuster.bootstrap.prepare import SEEDS, SeedProfile
from doorbuster.coupons.coupon import CouponKind
from doorbuster.coupons.issue_ports import GateState
from doorbuster.jobs import audit, coupons, top_up
from doorbuster_cluster.settings import REPOSITORY
from loadtests.reports.audit import audit_in
from loadtests.rig.supplies import TopUp, top_up_command
from loadtests.trials import order_ramp
from loadtests.trials.caching import CACHES_OFF
from loadtests.trials.ground import AUDIT, coupon_in

VALUES = REPOSITORY / "charts" / "apps" / "values.yaml"


def test_the_auditors_report_is_read_as_it_is_written() -> None:
    breach = Breach(invariant=Invariant.STOCK, subject=Subject.PRODUCT, id=7, detail="sold twice")
    report = Report(
        at=datetime.now(UTC), seconds=2.5, full=True, counts={Invariant.STOCK: 1}, breaches=[breach],
        waiting={Waiting.PENDING: 3}, looked_at={"orders": 9},
    )  # fmt: skip

    found = audit_in(as_json(report).decode())
    assert (found.verdict, found.found, found.shown) == ("breach", 1, ("stock_adds_up: product 7: sold twice",))
    assert (found.in_flight, set(found.breaches)) == ({"orders_pending": 3}, {each.value for each in Invariant})


def test_a_coupon_is_read_as_the_job_prints_it() -> None:
    wanted = NewCoupon(name="x", kind=CouponKind.PERCENTAGE, value=10, total=500, valid_for=timedelta(days=1))
    printed = msgspec.json.encode(Shown(coupon=wanted.coupon(datetime.now(UTC)), gate=next(iter(GateState))).document())

    assert coupon_in(printed.decode(), "issued") == 0
    assert coupon_in(printed.decode(), "id") >= 0


def test_the_jobs_know_the_options_that_they_are_given() -> None:
    words = top_up_command(TopUp(users=1, points=1, products=1, units=1))

    assert {word for word in words if word.startswith("--")} <= options(top_up.main)
    assert {word for word in AUDIT if word.startswith("--")} <= options(audit.main)
    assert {"--name", "--percentage", "--total"} <= options(coupons.create)
    assert options(coupons.show) >= {"--coupon"}


def options(command: click.Command) -> set[str]:
    return {name for parameter in command.params for name in parameter.opts}


def test_the_charts_values_have_the_switches_of_the_caches() -> None:
    values: Any = yaml.safe_load(VALUES.read_text())

    for name in CACHES_OFF:
        found = values
        for part in name.split("."):
            found = found[part]
        # On, unless somebody measures what they are worth.
        assert found is True


def test_the_load_profile_has_as_many_products_and_users_as_the_ramp_wants() -> None:
    counts = {part.name: part.count for part in SEEDS[SeedProfile.LOAD]}

    assert (counts["products"], counts["users"]) == (order_ramp.LAST_PRODUCT, order_ramp.USERS)
