"""Lists parked deliveries and makes them due again: `python -m doorbuster.jobs.deliveries list|retry --help`.

Answers are JSON lines on standard output; logs go to standard error, so that they never mix with them.
"""

from collections.abc import Sequence
from uuid import UUID

import click
import msgspec

from doorbuster.bootstrap.parked_deliveries import MOST_AT_ONCE, parked_deliveries
from doorbuster.deliveries.parked import ParkedDelivery
from doorbuster.jobs.command_line import answered
from doorbuster.kernel.ids import OrderId
from doorbuster.settings import Settings

LONGEST_PAGE = 500
DEADLINE_SECONDS = 60.0


@click.group(context_settings={"show_default": True})
def main() -> None:
    """Look at deliveries that the partner didn't take in all their attempts, and have them tried again.

    Each command ends with 0, or with 1 and a sentence that says why. Both can be repeated at any time.
    """


@main.command("list")
@click.option("--limit", type=click.IntRange(1, LONGEST_PAGE), default=50, help="Most lines.")
def list_parked(*, limit: int) -> None:
    """Print a line of JSON for each parked delivery, those first that were tried first."""

    async def work(settings: Settings) -> Sequence[ParkedDelivery]:
        async with parked_deliveries(settings) as parked:
            return await parked.first(limit)

    for each in answered(work, within_seconds=DEADLINE_SECONDS, too_late="nothing was changed"):
        click.echo(msgspec.json.encode(each))


@main.command()
@click.argument("order_ids", type=click.UUID, nargs=-1, metavar="ORDER_ID...")
@click.option("--all", "wants_all", is_flag=True, help=f"All parked ones, {MOST_AT_ONCE:,} at once: repeat it until 0.")
def retry(*, order_ids: Sequence[UUID], wants_all: bool) -> None:
    """Make parked deliveries due at once, with all their attempts before them; print {due: how many}.

    Ids that have no parked delivery are passed over.
    """
    if bool(order_ids) == wants_all:
        raise click.UsageError("say either ids of orders or --all")
    if len(order_ids) > MOST_AT_ONCE:
        raise click.UsageError(f"name at most {MOST_AT_ONCE:,} orders at once")
    wanted = None if wants_all else [OrderId(each) for each in order_ids]

    async def work(settings: Settings) -> int:
        async with parked_deliveries(settings) as parked:
            return await parked.retry(wanted)

    count = answered(work, within_seconds=DEADLINE_SECONDS, too_late="perhaps they are due: look, and repeat it")
    click.echo(msgspec.json.encode({"due": count}))


if __name__ == "__main__":
    main()
