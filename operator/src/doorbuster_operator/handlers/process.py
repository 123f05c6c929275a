"""The process from its first to its last second: what is served, what is waited for, what is given back."""

import asyncio
import signal
from collections.abc import Awaitable, Iterator, Sequence
from contextlib import contextmanager

import structlog
from prometheus_client import start_http_server

from doorbuster_operator.handlers.counting import LoopMetrics
from doorbuster_operator.handlers.heartbeat import Heartbeat
from doorbuster_operator.handlers.liveness import serving
from doorbuster_operator.handlers.roles import Namespace
from doorbuster_operator.handlers.shell import operate
from doorbuster_operator.handlers.threads import Threads
from doorbuster_operator.handlers.ticks import Pace, Ticks
from doorbuster_operator.handlers.waiting import wait_until_served
from doorbuster_operator.ports import Leadership
from doorbuster_operator.settings import Settings

# Of a tick: so long after its start the next one may begin, when a spec has changed.
SHORTEST_SHARE = 0.2

log = structlog.get_logger()


async def run(settings: Settings, namespaces: Sequence[Namespace], leadership: Leadership) -> None:
    """Run until SIGTERM or SIGINT.

    Args:
        settings: what the environment says.
        namespaces: where scalers are looked at.
        leadership: which is given back at the end.

    Raises:
        OSError: a port is taken.
    """
    stop = _stop_event()
    heartbeat = Heartbeat(settings.tick_seconds)
    with _metrics_served(settings.metrics_port):
        async with serving(heartbeat.check, port=settings.liveness_port):
            log.info("operator_started", namespaces=settings.watched, identity=settings.identity)
            try:
                await _wait_and_operate(settings, namespaces, leadership, heartbeat=heartbeat, stop=stop)
            finally:
                await _give_back(leadership, settings.request_seconds)
                log.info("operator_ended")


async def _wait_and_operate(
    settings: Settings,
    namespaces: Sequence[Namespace],
    leadership: Leadership,
    *,
    heartbeat: Heartbeat,
    stop: asyncio.Event,
) -> None:
    waiting = wait_until_served(namespaces, request_seconds=settings.request_seconds, beat=heartbeat.beat)
    if not await _ended_before(stop, waiting):
        return
    metrics = LoopMetrics()
    await operate(
        Ticks(namespaces, leadership, pace=_pace(settings), heartbeat=heartbeat, measures=metrics),
        namespaces=settings.watched,
        kubeconfig=settings.kubeconfig,
        stop=stop,
        on_crash=lambda: metrics.failed("tick"),
    )


def _pace(settings: Settings) -> Pace:
    return Pace(
        tick=settings.tick_seconds,
        shortest=settings.tick_seconds * SHORTEST_SHARE,
        calls=settings.calls_seconds,
        threads=settings.threads,
    )


def _stop_event() -> asyncio.Event:
    """Return an event that a signal sets. The first process of a container is not ended by signals that it ignores."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


@contextmanager
def _metrics_served(port: int) -> Iterator[None]:
    server, thread = start_http_server(port)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


async def _ended_before(stop: asyncio.Event, work: Awaitable[None]) -> bool:
    """Whether the work ended before the event was set; then it is cancelled.

    Raises:
        Exception: whatever the work raises.
    """
    working, stopping = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not working.done():
        working.cancel()
        return False
    await working
    return not stop.is_set()


async def _give_back(leadership: Leadership, request_seconds: float) -> None:
    """Release the Lease, within the time of one call: without it the next operator waits until it expires."""
    try:
        async with asyncio.timeout(request_seconds):
            await Threads(1).run(leadership.release, name="release")
    except TimeoutError:
        log.warning("lease_not_released")
