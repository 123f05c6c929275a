"""Produces messages that can never succeed, to see what becomes of them: `python -m doorbuster.jobs.poison --help`.

A fault switch like the others: it works only where the settings say `faults.poison`, and the answer is one JSON line.
"""

import click
import msgspec

from doorbuster.bootstrap.poison import Dose, poison
from doorbuster.contracts.topics import Topic
from doorbuster.infra.faults.poison import PoisonKind
from doorbuster.jobs.command_line import answered

MOST = 1_000
DEADLINE_SECONDS = 60.0


@click.command(
    context_settings={"show_default": True},
    epilog="Prints {topic, kind, sent: [{partition, offset}]}. Each message becomes one dead letter for each group of"
    " the topic: `python -m doorbuster.jobs.dlt list` shows them. In a cluster, with faults.enabled and faults.poison"
    " set: kubectl exec deployment/apps-relay -- python3 -m doorbuster.jobs.poison --kind malformed",
)
@click.option(
    "--topic", type=click.Choice([each.value for each in Topic]), default=Topic.ORDER_CREATED.value, help="Where to."
)
@click.option("--count", type=click.IntRange(1, MOST), default=1, help="How many.")
@click.option(
    "--kind",
    type=click.Choice([each.value for each in PoisonKind]),
    required=True,
    help="malformed: ends in the middle; unknown-version: of a release that will never be; oversized: a byte too long.",
)
def main(*, topic: str, count: int, kind: str) -> None:
    """Send messages that every consumer has to give up. Off unless somebody has switched the fault on."""
    dose = Dose(topic=Topic(topic), kind=PoisonKind(kind), count=count)
    sent = answered(
        lambda settings: poison(settings, dose),
        within_seconds=DEADLINE_SECONDS,
        too_late="Kafka acknowledged some of them at most",
    )
    click.echo(msgspec.json.encode({"topic": topic, "kind": kind, "sent": sent}))


if __name__ == "__main__":
    main()
