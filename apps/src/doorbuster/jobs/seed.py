"""Loads the data of a seed profile, also millions of rows: `python -m doorbuster.jobs.seed --help` says how.

The answer is one JSON line on standard output; progress and logs go to standard error, so that they never mix with it.
"""

import asyncio
import sys

import click
import msgspec

from doorbuster.bootstrap.prepare import SeedProfile
from doorbuster.bootstrap.seeding import ProfileSeeded, seed_profile
from doorbuster.infra.logging import configure
from doorbuster.infra.process.signals import stop_event
from doorbuster.kernel.errors import DoorbusterError
from doorbuster.settings import Settings

# As a shell says it of a command that was ended by Ctrl-C.
ENDED_EARLY = 130


@click.command(
    context_settings={"show_default": True},
    epilog="Prints {profile, parts: [{part, new, done, of, seconds, rows_per_second}], complete}. Ends with 0; with 130"
    " when it was ended early; with 1 and a sentence that says why. Demo data need DOORBUSTER_AUTH__ISSUERS to name the"
    " development issuer, as in a pod of the API of a local cluster: kubectl exec deployment/apps-api -- python3 -m"
    " doorbuster.jobs.seed --profile load",
)
@click.option(
    "--profile",
    type=click.Choice([profile.value for profile in SeedProfile]),
    required=True,
    help="local: 5,000 products, 10,000 users; test: 20 of each; both with three coupons; load: 1,000,000 products and"
    " users, 200,000 carts; prod: no data at all.",
)
@click.option("--from-start", is_flag=True, help="Look at every item again, whatever the checkpoints say.")
@click.option(
    "--deadline-seconds", type=click.FloatRange(0, 86_400, min_open=True), default=3_600.0, help="Then it ends early."
)
def main(*, profile: str, from_start: bool, deadline_seconds: float) -> None:
    """Write what is missing of a profile's data, in transactions of 2,000 rows, no faster than MySQL's members follow.

    Ctrl-C or SIGTERM ends it behind the transaction in hand. Type the same again and it goes on from there; when all is
    there, it changes nothing. A log line every two seconds says how far it is, how fast, and how long it will take.
    """
    settings = Settings()
    configure(settings.log_level, sys.stderr.buffer)
    try:
        seeded = asyncio.run(
            _until_stopped(settings, SeedProfile(profile), from_start=from_start, deadline_seconds=deadline_seconds)
        )
    except DoorbusterError as error:
        raise click.ClickException(str(error)) from error
    click.echo(msgspec.json.encode(seeded))
    if not seeded.complete:
        sys.exit(ENDED_EARLY)


async def _until_stopped(
    settings: Settings, profile: SeedProfile, *, from_start: bool, deadline_seconds: float
) -> ProfileSeeded:
    with stop_event() as stop:
        timer = asyncio.get_running_loop().call_later(deadline_seconds, stop.set)
        try:
            return await seed_profile(settings, profile, stop=stop, from_start=from_start)
        finally:
            timer.cancel()


if __name__ == "__main__":
    main()
