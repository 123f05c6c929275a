"""Prepares the servers for this release: tables, topics, and the data of a seed profile (P6).

`python -m doorbuster.jobs.prepare --help` says how. Settings come from the environment, as for every process. It may
be run at any time and as often as one likes: what is there already stays as it is.
"""

import asyncio
import sys
from typing import NoReturn

import click
import structlog

from doorbuster.bootstrap.prepare import CLUSTERS_OWN, PREPARED, Preparation, SeedProfile, prepare
from doorbuster.infra.logging import configure
from doorbuster.kernel.errors import DoorbusterError
from doorbuster.settings import Settings

log = structlog.get_logger()


@click.command(epilog="Ends with 0 when everything is as wanted, with 1 and a log line that says why when it isn't.")
@click.option(
    "--profile",
    type=click.Choice([profile.value for profile in PREPARED]),
    required=True,
    help="local: 5,000 products, 10,000 users; test: 20 of each; prod: no data. In the first two, product 1 is"
    " doorbuster-test and product 2, doorbuster-scarce, has 5 units; each user has 1,000,000 points; of the three"
    " coupons the third has 500 units.",
)
@click.option(
    "--partitions",
    type=click.IntRange(1, 1000),
    default=12,
    show_default=True,
    help="Of each topic; coupon-issued has 10.",
)
@click.option(
    "--replication-factor",
    type=click.IntRange(CLUSTERS_OWN, 5),
    default=CLUSTERS_OWN,
    show_default=True,
    help="Of each topic; -1 is what the cluster does by itself.",
)
@click.option(
    "--allow-grow", is_flag=True, help="Let topics have more partitions than before, if nothing waits in any of them."
)
@click.option(
    "--patience-seconds", type=float, default=120.0, show_default=True, help="How long to wait for each server."
)
@click.option("--deadline-seconds", type=float, default=300.0, show_default=True, help="For everything together.")
def main(
    *,
    profile: str,
    partitions: int,
    replication_factor: int,
    allow_grow: bool,
    patience_seconds: float,
    deadline_seconds: float,
) -> None:
    """Make tables, topics and data what this release needs. Harmless to repeat."""
    plan = Preparation(
        profile=SeedProfile(profile),
        partitions=partitions,
        replication_factor=replication_factor,
        allow_grow=allow_grow,
        patience_seconds=patience_seconds,
    )
    settings = Settings()
    configure(settings.log_level)
    try:
        asyncio.run(_within(settings, plan, deadline_seconds))
    except TimeoutError:
        _give_up(f"not done within {deadline_seconds:g} s; another run goes on from there")
    except DoorbusterError as error:
        _give_up(str(error))


def _give_up(reason: str) -> NoReturn:
    # The sentence is for a person; a traceback would hide it.
    log.error("not_prepared", reason=reason)
    sys.exit(1)


async def _within(settings: Settings, plan: Preparation, deadline_seconds: float) -> None:
    async with asyncio.timeout(deadline_seconds):
        await prepare(settings, plan)


if __name__ == "__main__":
    main()
