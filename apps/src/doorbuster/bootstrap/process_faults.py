"""Puts faults around the parts of a process, and has it say so: in its metrics, its log and on the board of notices."""

import asyncio
import random
from collections.abc import Callable, Coroutine, Sequence

import structlog
from redis.asyncio import Redis

from doorbuster.infra.faults.consumer_faults import FailingBatches, SlowTransactions, StuckPartition
from doorbuster.infra.faults.switches import show_faults, switched_on
from doorbuster.infra.kafka.record_source import Partition, RecordSource
from doorbuster.infra.kafka.records import BatchHandler
from doorbuster.infra.mysql.transactions import Transactions
from doorbuster.infra.notices import NoticeBoard, keep_telling
from doorbuster.settings import FaultSettings

# Runs beside the process' work until the event is set.
Companion = Callable[[asyncio.Event], Coroutine[None, None, None]]

log = structlog.get_logger()


def slowed(database: Transactions, faults: FaultSettings) -> Transactions:
    """Return the database, with slow transactions if that fault is on."""
    seconds = faults.slow_query.total_seconds()
    return SlowTransactions(database, seconds=seconds) if seconds else database


def failing(handler: BatchHandler, faults: FaultSettings) -> BatchHandler:
    """Return the handler, failing now and then if that fault is on."""
    if faults.error_rate == 0:
        return handler
    chance = random.Random(faults.error_seed).random  # noqa: S311  # to be repeated, not to surprise anybody
    return FailingBatches(handler, rate=faults.error_rate, chance=chance)


def stuck(source: RecordSource, faults: FaultSettings) -> RecordSource:
    """Return the source, without the records of one partition if that fault is on."""
    if faults.stuck_partition is None:
        return source
    topic, _, number = faults.stuck_partition.rpartition("/")
    return StuckPartition(source, Partition(topic, int(number)))


def fault_notices(process: str, faults: FaultSettings, client: Redis) -> Sequence[Companion]:
    """Show which faults are on, and return what tells the others of them: nothing when all are off.

    Args:
        process: what the process is called, as its Deployment without the release.
        faults: the process' switches.
        client: Redis, which stays its owner's.
    """
    on = switched_on(faults)
    show_faults(on)
    if not on:
        return ()
    log.warning("faults_are_on", process=process, faults=[fault.value for fault in on])
    notices = tuple(f"{process}/{fault.value}" for fault in on)
    return (lambda stopping: keep_telling(client, NoticeBoard.FAULTS, lambda: notices, stopping),)
