"""Looks for what breaks an invariant: `python -m doorbuster.jobs.audit` (R21).

Once by default: a look at everything, a table or JSON on standard output, and an exit status that says whether anything
is broken. With `--serve` it goes on looking at what changes, and exports what it sees.
"""

import asyncio
import sys
from typing import NoReturn

import click
import structlog

from doorbuster.audit.rendering import as_json, as_table
from doorbuster.bootstrap import jobs
from doorbuster.bootstrap.audit import audit_once
from doorbuster.infra.logging import configure
from doorbuster.kernel.errors import DoorbusterError
from doorbuster.settings import AuditSettings, Settings

NO_BREACH, BREACH, NOT_LOOKED = 0, 1, 2

log = structlog.get_logger()


@click.command(
    epilog="Ends with 0: no breach; 1: a breach, its ids are named; 2: it could not look."
    " It only reads, from a secondary where one is fit."
)
@click.option("--serve", is_flag=True, help="Look every 30 s at what has changed, until SIGTERM, and export it.")
@click.option("--json", "wants_json", is_flag=True, help="Print one JSON document in place of the table.")
@click.option(
    "--final-within-seconds",
    type=click.FloatRange(min=1),
    help="How long an order may be PENDING; otherwise what the settings say, 300.",
)
def main(*, serve: bool, wants_json: bool, final_within_seconds: float | None) -> None:
    """Check stock, orders, points, coupons, keys, messages and sales against each other, in one snapshot."""
    if serve:
        jobs.run_process(jobs.audit)
        return
    settings = _settings(final_within_seconds)
    configure(settings.log_level, sys.stderr.buffer)
    try:
        report = asyncio.run(audit_once(settings))
    except (DoorbusterError, TimeoutError) as exc:
        _give_up(str(exc) or "it took too long")
    click.echo(as_json(report) if wants_json else as_table(report))
    sys.exit(NO_BREACH if report.clean else BREACH)


def _settings(final_within_seconds: float | None) -> Settings:
    settings = Settings()
    if final_within_seconds is None:
        return settings
    changed = {**settings.audit.model_dump(), "final_within_seconds": final_within_seconds}
    return settings.model_copy(update={"audit": AuditSettings(**changed)})


def _give_up(reason: str) -> NoReturn:
    # The sentence is for a person; a traceback would hide it.
    log.error("not_audited", reason=reason)
    sys.exit(NOT_LOOKED)


if __name__ == "__main__":
    main()
