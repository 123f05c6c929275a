import asyncio
import contextlib
import random
import sys
import time
from datetime import timedelta

import click
import structlog

from doorbuster.bootstrap.consumers import CONSUMERS, ConsumerName, Parts, parts_of
from doorbuster.consumers.intake import Intake, limits_with
from doorbuster.consumers.measures import Measures
from doorbuster.consumers.runtime import Clocks, ConsumerRuntime, Pace
from doorbuster.infra.logging import configure
from doorbuster.infra.process.admin import AdminServer
from doorbuster.infra.process.signals import stop_event
from doorbuster.settings import Settings

log = structlog.get_logger()


def explained() -> str:
    """Return what the command line says about itself: all groups, their topics and their work."""
    lines = [
        "Run one consumer: it reads its group's topics in batches until SIGTERM. Start more processes of the same name "
        "to share the partitions. Settings come from the environment (DOORBUSTER_...); probes and metrics are served "
        "on DOORBUSTER_ADMIN_PORT.",
    ]
    for name, consumer in CONSUMERS.items():
        lines.append(f"\b\n{name}: {consumer.about}\n  group {consumer.group}\n  reads {', '.join(consumer.topics)}")
    return "\n\n".join(lines)


@click.command(help=explained())
@click.argument("name", type=click.Choice([each.value for each in ConsumerName]), metavar="NAME")
def main(name: str) -> None:
    """Run until SIGTERM; exit with 1 when only a new process helps."""
    settings = Settings()
    configure(settings.log_level)
    try:
        asyncio.run(serve(ConsumerName(name), settings))
    except Exception:  # whatever it is, this process can't go on: Kubernetes starts another one
        log.critical("consumer_failed", consumer=name, exc_info=True)
        sys.exit(1)


async def serve(name: ConsumerName, settings: Settings) -> None:
    """Run a consumer and what belongs to it until SIGTERM.

    Raises:
        ExceptionGroup: what only a new process can mend.
    """
    async with contextlib.AsyncExitStack() as stack:
        stopping = stack.enter_context(stop_event())
        admin = AdminServer()
        stack.push_async_callback(admin.stop)
        parts = await stack.enter_async_context(parts_of(name, settings, leaving=stopping.is_set))
        runtime = assembled(name, parts, delay_per_record=settings.faults.delay_per_record)
        await admin.start(settings.admin_port, ready=runtime.ready, alive=runtime.alive)
        async with asyncio.TaskGroup() as tasks:
            for companion in parts.companions:
                tasks.create_task(companion(stopping))
            tasks.create_task(runtime.run(CONSUMERS[name].topics, stopping))


def assembled(name: ConsumerName, parts: Parts, *, delay_per_record: timedelta = timedelta(0)) -> ConsumerRuntime:
    """Return the consumer's runtime around its parts; `delay_per_record` is its fault delay (P19)."""
    group = CONSUMERS[name].group
    delay_seconds = delay_per_record.total_seconds()
    measures = Measures(group, time.time)
    return ConsumerRuntime(
        group,
        Intake(parts.source, group, limits=limits_with(delay_seconds), measures=measures, clock=time.monotonic),
        handler=parts.handler,
        measures=measures,
        # Pauses of random length surprise no attacker.
        clocks=Clocks(monotonic=time.monotonic, chance=random.random),
        pace=Pace(delay_per_record_seconds=delay_seconds),
    )


if __name__ == "__main__":
    main()
