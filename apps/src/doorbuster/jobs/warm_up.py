"""Fills the caches with named products, and has the gates of named coupons open, before a sale begins.

`python -m doorbuster.jobs.warm_up --help` says how. The answer is one JSON line on standard output; logs, with the
progress, go to standard error, so that they never mix with it.
"""

from collections.abc import Sequence

import click
import msgspec

from doorbuster.bootstrap.warm_up import WarmUp, warm_up
from doorbuster.jobs.command_line import answered
from doorbuster.kernel.id_ranges import NotARange, parse_id_ranges

MOST_PRODUCTS = 1_000_000
# One query and one script see them all.
MOST_COUPONS = 200
LONGEST_KEEP_SECONDS = 3_600.0
# A million copies and all gates, beside the keeping.
FILL_SECONDS = 600.0


@click.command(
    context_settings={"show_default": True},
    epilog="Prints {products: {named, filled, unknown, outdated}, coupons: …} of the last round, with what was named."
    " Ends with 0, or with 1 and a sentence that says why.",
)
@click.option("--products", help="Ids, as 1-1000,5: copies of these are filled.")
@click.option("--coupons", help="Ids likewise: gates of these are made, where they are missing or wrong.")
@click.option(
    "--keep-seconds",
    type=click.FloatRange(0, LONGEST_KEEP_SECONDS),
    default=0.0,
    help="Copies live for some 20 seconds; so long they are made anew, until the sale keeps them warm itself.",
)
@click.option(
    "--deadline-seconds",
    type=click.FloatRange(0, 7200, min_open=True),
    show_default=f"{FILL_SECONDS:g} more than --keep-seconds",
    help="For all of it, the keeping too.",
)
def main(*, products: str | None, coupons: str | None, keep_seconds: float, deadline_seconds: float | None) -> None:
    """Fill Redis before a sale. Harmless at any time, and as often as one likes."""
    wanted = WarmUp(products=_ids(products), coupons=_ids(coupons), keep_seconds=keep_seconds)
    if not wanted.products and not wanted.coupons:
        raise click.UsageError("name products or coupons")
    _limit(wanted.products, most=MOST_PRODUCTS, what="products")
    _limit(wanted.coupons, most=MOST_COUPONS, what="coupons")
    done = answered(
        lambda settings: warm_up(settings, wanted),
        within_seconds=keep_seconds + FILL_SECONDS if deadline_seconds is None else deadline_seconds,
        too_late="what is filled is right",
    )
    click.echo(msgspec.json.encode(done))


def _ids(text: str | None) -> Sequence[range]:
    try:
        return () if text is None else parse_id_ranges(text)
    except NotARange as error:
        raise click.UsageError(str(error)) from error


def _limit(ranges: Sequence[range], *, most: int, what: str) -> None:
    if sum(map(len, ranges)) > most:
        raise click.UsageError(f"name at most {most:,} {what} at once")


if __name__ == "__main__":
    main()
