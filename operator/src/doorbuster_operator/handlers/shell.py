"""The operator around kopf: one watch, and the loop of ticks beside it.

No timers, daemons, or handlers of updates and deletions: kopf would put finalizers and annotations on the objects, and
a namespace whose operator is gone could never be deleted (P16). So kopf reads here and never writes.
"""

import asyncio
import itertools
import os
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import kopf
import structlog

from doorbuster_operator.handlers.spec_changes import SpecChanges
from doorbuster_operator.handlers.supervision import supervise
from doorbuster_operator.handlers.ticks import Ticks

GROUP, VERSION, PLURAL = "doorbuster.dev", "v1alpha1", "consumerscalers"

# A watch that says nothing is begun anew: by the server, else by us, else (bookmarks come each minute) after 70 s. The
# first goes into the request as it is, and the API server wants a whole number.
WATCH_SERVER_SECONDS = 240
WATCH_CLIENT_SECONDS = 300.0
CONNECT_SECONDS = 10.0
REQUEST_SECONDS = 15.0
# While the API server is away. An operator that gave up would be restarted by the kubelet, up to five minutes late.
FIRST_PAUSES_SECONDS = (1, 1, 2, 3, 5, 8)
LONGEST_PAUSE_SECONDS = 10
# A pod has 30 s to end; then the kubelet ends it.
EXIT_SECONDS = 20.0

log = structlog.get_logger()


async def operate(
    ticks: Ticks,
    *,
    namespaces: Sequence[str],
    kubeconfig: Path | None,
    stop: asyncio.Event,
    on_crash: Callable[[], None],
) -> None:
    """Watch and tick until SIGTERM, or until the event is set.

    Args:
        ticks: the loop.
        namespaces: where scalers are watched.
        kubeconfig: says where the API server is; None means the pod's service account.
        stop: ends it.
        on_crash: is called each time that the loop failed.
    """
    if kubeconfig is not None:
        # Kopf takes it from nowhere else.
        os.environ["KUBECONFIG"] = str(kubeconfig)
    registry = kopf.OperatorRegistry()
    log_in(registry, kopf.login_with_service_account if kubeconfig is None else kopf.login_with_kubeconfig)
    watch(registry, ticks.wake)
    keep_running(registry, lambda: supervise(ticks.run, on_crash=on_crash), stop)
    await kopf.operator(
        registry=registry, settings=kopf_settings(), namespaces=namespaces, standalone=True, stop_flag=stop
    )


def kopf_settings() -> kopf.OperatorSettings:
    """Return kopf's settings: alone, in the namespaces that it is given, silent on the API server."""
    settings = kopf.OperatorSettings()
    settings.peering.standalone = True
    # Otherwise it watches namespaces and kinds of the whole cluster, for which a Role isn't enough.
    settings.scanning.disabled = True
    settings.posting.enabled = False
    settings.posting.loggers = False
    settings.watching.server_timeout = WATCH_SERVER_SECONDS
    settings.watching.client_timeout = WATCH_CLIENT_SECONDS
    settings.watching.connect_timeout = CONNECT_SECONDS
    settings.networking.request_timeout = REQUEST_SECONDS
    settings.networking.connect_timeout = CONNECT_SECONDS
    settings.networking.error_backoffs = _Pauses()
    settings.process.ultimate_exiting_timeout = EXIT_SECONDS
    return settings


class _Pauses(Iterable[float]):
    """Pauses between attempts, without an end."""

    def __iter__(self) -> Iterator[float]:
        return itertools.chain(FIRST_PAUSES_SECONDS, itertools.repeat(LONGEST_PAUSE_SECONDS))


def log_in(registry: kopf.OperatorRegistry, way: Callable[..., kopf.ConnectionInfo | None]) -> None:
    """Have kopf log in by this way, again each time that its token has expired.

    Without a way it would take the official client's, whose own state that changes.
    """

    @kopf.on.login(registry=registry)
    async def on_login(settings: kopf.OperatorSettings, **_: object) -> kopf.ConnectionInfo | None:
        return way(settings=settings)


def watch(registry: kopf.OperatorRegistry, wake: Callable[[], None]) -> None:
    """Have new, changed and deleted scalers noticed at once."""
    changes = SpecChanges()

    @kopf.on.event(GROUP, VERSION, PLURAL, registry=registry)
    async def on_event(event: kopf.RawEvent, uid: str, meta: kopf.Meta, **_: object) -> None:
        if changes.is_new(uid=uid, generation=meta.get("generation", 0), deleted=event["type"] == "DELETED"):
            wake()


def keep_running(
    registry: kopf.OperatorRegistry, run: Callable[[], Coroutine[None, None, None]], stop: asyncio.Event
) -> None:
    """Have this run from kopf's start to its end, and the event set then."""
    tasks: list[asyncio.Task[None]] = []

    @kopf.on.startup(registry=registry)
    async def on_startup(**_: object) -> None:
        tasks.append(asyncio.create_task(run(), name="ticks"))

    @kopf.on.cleanup(registry=registry)
    async def on_cleanup(**_: object) -> None:
        # Signals are kopf's by now. It gives tasks that don't end five seconds, and one of its own waits for this.
        stop.set()
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
