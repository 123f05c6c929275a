"""Fills the caches with named products, and has the gates of named coupons open, before a sale begins.

`python -m doorbuster.jobs.warm_up --help` says how. The answer is one JSON line on standard output; logs, with the
progress, go to standard error, so that they never mix with it.
"""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from typing import NoReturn

import click
import msgspec
import structlog

from doorbuster.bootstrap.warm_up import WarmUp, warm_up
from doorbuster.bootstrap.warmable import Warmed
from doorbuster.infra.logging import configure
from doorbuster.kernel.errors import DoorbusterError
from doorbuster.kernel.id_ranges import parse_id_ranges
from doorbuster.settings import Settings

MOST_PRODUCTS = 1_000_000
# One query and one script see them all.
MOST_COUPONS = 200
LONGEST_KEEP_SECONDS = 3_600.0

log = structlog.get_logger()


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
@click.option("--deadline-seconds", type=click.FloatRange(0, 7200, min_open=True), default=600.0, help="For all of it.")
def main(*, products: str | None, coupons: str | None, keep_seconds: float, deadline_seconds: float) -> None:
    """Fill Redis before a sale. Harmless at any time, and as often as one likes."""
    settings = Settings()
    configure(settings.log_level, sys.stderr.buffer)
    try:
        wanted = WarmUp(products=_ids(products), coupons=_ids(coupons), keep_seconds=keep_seconds)
        if not wanted.products and not wanted.coupons:
            _give_up("name products or coupons")
        _limit(wanted.products, most=MOST_PRODUCTS, what="products")
        _limit(wanted.coupons, most=MOST_COUPONS, what="coupons")
        done = asyncio.run(_within(settings, wanted, deadline_seconds))
    except TimeoutError:
        _give_up(f"not done within {deadline_seconds:g} s; what is filled is right")
    except DoorbusterError as error:
        _give_up(str(error))
    click.echo(msgspec.json.encode(done))


def _ids(text: str | None) -> Sequence[range]:
    return () if text is None else parse_id_ranges(text)


def _limit(ranges: Sequence[range], *, most: int, what: str) -> None:
    if sum(map(len, ranges)) > most:
        _give_up(f"name at most {most:,} {what} at once")


def _give_up(reason: str) -> NoReturn:
    # The sentence is for a person; a traceback would hide it.
    log.error("not_warmed_up", reason=reason)
    sys.exit(1)


async def _within(settings: Settings, wanted: WarmUp, deadline_seconds: float) -> Mapping[str, Warmed]:
    async with asyncio.timeout(deadline_seconds):
        return await warm_up(settings, wanted)


if __name__ == "__main__":
    main()
