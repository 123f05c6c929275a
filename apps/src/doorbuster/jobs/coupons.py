"""What a person does with coupons: `python -m doorbuster.jobs.coupons create|show|list|restock|rebuild --help`.

Answers are JSON lines on standard output, one a coupon; logs go to standard error, so that they never mix with them.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta

import click
import msgspec

from doorbuster.bootstrap.coupon_admin import CouponAdmin, NewCoupon, Shown, coupon_admin
from doorbuster.coupons.coupon import CouponKind
from doorbuster.jobs.command_line import answered
from doorbuster.kernel.ids import CouponId
from doorbuster.settings import Settings

# Sums of these stay far below what a column or a reader of JSON holds.
MOST = 1_000_000_000
LONGEST_NAME = 200
DEADLINE_SECONDS = 120.0

Work = Callable[[CouponAdmin], Awaitable[Sequence[Shown]]]

_coupon = click.option("--coupon", type=click.IntRange(min=1), required=True, help="Its id.")


class Moment(click.ParamType[datetime]):
    """A moment in ISO 8601; without a time zone it is UTC."""

    name = "moment"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return the moment."""
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is no moment such as 2026-11-27T09:00:00+00:00", param, ctx)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@click.group(context_settings={"show_default": True})
def main() -> None:
    """Make coupons, look at them, add units, make a gate anew.

    Each command ends with 0 and a JSON line for each coupon, or with 1 and a sentence that says why.
    """


@main.command()
@click.option("--name", required=True, help="For people; 1 to 200 characters.")
@click.option("--percentage", type=click.IntRange(1, 100), help="So many percent off an order.")
@click.option("--fixed", type=click.IntRange(1, MOST), help="So many points off an order; instead of --percentage.")
@click.option("--total", type=click.IntRange(1, MOST), required=True, help="How many there are.")
@click.option("--most-discount", type=click.IntRange(1, MOST), help="Upper end of a percentage, in points.")
@click.option("--minimum-amount", type=click.IntRange(0, MOST), default=0, help="What an order's total must reach.")
@click.option("--valid-from", type=Moment(), help="Given away and redeemed from then on; without it, from now on.")
@click.option("--valid-until", type=Moment(), help="And until just before then.")
@click.option("--valid-days", type=click.IntRange(1, 3650), default=30, help="How long, without --valid-until.")
def create(  # one argument an option
    *,
    name: str,
    percentage: int | None,
    fixed: int | None,
    total: int,
    valid_days: int,
    **options: int | datetime | None,
) -> None:
    """Make a coupon and its gate."""
    if (percentage is None) == (fixed is None):
        raise click.UsageError("say either --percentage or --fixed")
    if not 1 <= len(name) <= LONGEST_NAME:
        raise click.UsageError(f"a name has 1 to {LONGEST_NAME} characters")
    wanted = NewCoupon(
        name=name,
        kind=CouponKind.FIXED if percentage is None else CouponKind.PERCENTAGE,
        value=percentage or fixed or 0,
        total=total,
        valid_for=timedelta(days=valid_days),
        **options,  # type: ignore[arg-type]  # click has checked them
    )

    async def work(admin: CouponAdmin) -> Sequence[Shown]:
        return [await admin.create(wanted)]

    _run(work)


@main.command()
@_coupon
def show(*, coupon: int) -> None:
    """Show a coupon and the state of its gate."""

    async def work(admin: CouponAdmin) -> Sequence[Shown]:
        return [await admin.show(CouponId(coupon))]

    _run(work)


@main.command("list")
def list_all() -> None:
    """Show all coupons, by id."""

    async def work(admin: CouponAdmin) -> Sequence[Shown]:
        return [shown async for shown in admin.all()]

    _run(work)


@main.command()
@_coupon
@click.option("--units", type=click.IntRange(1, MOST), required=True, help="How many more there are.")
def restock(*, coupon: int, units: int) -> None:
    """Add units to a coupon; who was told that it is sold out may ask again at once."""

    async def work(admin: CouponAdmin) -> Sequence[Shown]:
        return [await admin.restock(CouponId(coupon), units)]

    _run(work)


@main.command()
@click.option("--coupon", type=click.IntRange(min=1), help="Its id; without it, all that haven't ended.")
def rebuild(*, coupon: int | None) -> None:
    """Make gates anew from the database, under a new epoch. Harmless at any time."""

    async def work(admin: CouponAdmin) -> Sequence[Shown]:
        return await admin.rebuild(None if coupon is None else CouponId(coupon))

    _run(work)


def _run(work: Work) -> None:
    async def with_admin(settings: Settings) -> Sequence[Shown]:
        async with coupon_admin(settings) as admin:
            return await work(admin)

    for each in answered(with_admin, within_seconds=DEADLINE_SECONDS, too_late="look before you repeat it"):
        click.echo(msgspec.json.encode(each.document()))


if __name__ == "__main__":
    main()
