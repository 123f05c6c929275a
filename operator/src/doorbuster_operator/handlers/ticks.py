"""The tick: every few seconds each scaler is looked at once, if this operator is the one that may act.

A tick lists the scalers from the API server, so it never acts on a spec that is older than itself; the watch only makes
the next tick come sooner. All calls of a tick together end within half of it, or are given up (P16).
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import TypeVar

import structlog

from doorbuster_operator.handlers.heartbeat import Heartbeat
from doorbuster_operator.handlers.roles import Measures, Namespace
from doorbuster_operator.handlers.threads import StillRuns, Threads
from doorbuster_operator.ports import Leadership, OperatorError
from doorbuster_operator.reconcilers.objects import Manifest
from doorbuster_operator.reconcilers.sharing import older_rivals

# As long as a Lease lasts: another operator may have acted meanwhile, and what is remembered isn't true any more.
TICKS_UNTIL_FORGOTTEN = 3

Outcome = TypeVar("Outcome")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Times and limits of the loop, in seconds.

    Attributes:
        tick: from the start of one tick to the start of the next.
        shortest: the same, however often specs change.
        calls: longest time of all calls of a tick together.
        threads: most scalers that are looked at together.
    """

    tick: float
    shortest: float
    calls: float
    threads: int


class Ticks:
    """The loop over all scalers. Everything but the calls themselves runs on the event loop."""

    def __init__(
        self,
        namespaces: Sequence[Namespace],
        leadership: Leadership,
        *,
        pace: Pace,
        heartbeat: Heartbeat,
        measures: Measures,
    ) -> None:
        """Take what is looked at, who may act, and how often."""
        self._namespaces = namespaces
        self._leadership = leadership
        self._pace = pace
        self._heartbeat = heartbeat
        self._measures = measures
        # Scalers whose calls hang must not keep the next tick from knowing who leads and what there is.
        self._questions = Threads(len(namespaces) + 1)
        self._threads = Threads(pace.threads)
        self._known: dict[str, Set[str]] = {}
        self._looked_at: dict[str, float] = {}
        self._led = False
        self._ticks_without_lease = 0
        self._wake = asyncio.Event()

    @property
    def hanging(self) -> Set[str]:
        """Scalers (`namespace/name`) whose calls haven't returned."""
        return self._threads.running

    def wake(self) -> None:
        """Have the next tick come as soon as may be."""
        self._wake.set()

    async def run(self) -> None:
        """Tick until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            begun = loop.time()
            self._wake.clear()
            await self.tick()
            await asyncio.sleep(max(0.0, begun + self._pace.shortest - loop.time()))
            try:
                async with asyncio.timeout_at(begun + self._pace.tick):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def tick(self) -> None:
        """Look at every scaler once. What fails is logged and counted; the others go on."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        deadline = begun + self._pace.calls
        if await self._leads(deadline):
            await asyncio.gather(*(self._look_at(namespace, deadline) for namespace in self._namespaces))
        self._measures.tick_ended(loop.time() - begun)
        self._heartbeat.beat()

    async def _leads(self, deadline: float) -> bool:
        question = self._questions.run(self._leadership.held, name="lease")
        held = bool(await self._attempt(question, deadline, call="lease", of="lease"))
        if held != self._led:
            log.info("leadership_changed", leads=held)
        self._led = held
        self._measures.leads(held=held)
        self._ticks_without_lease = 0 if held else self._ticks_without_lease + 1
        if self._ticks_without_lease >= TICKS_UNTIL_FORGOTTEN:
            for namespace in self._namespaces:
                self._forget_all_but(namespace, frozenset())
        return held

    async def _look_at(self, namespace: Namespace, deadline: float) -> None:
        question = self._questions.run(namespace.objects.list_objects, name=f"list {namespace.name}")
        found = await self._attempt(question, deadline, call="list_scalers", of=namespace.name)
        if found is None:
            return
        scalers = {_name(manifest): manifest for manifest in found}
        self._forget_all_but(namespace, scalers.keys())
        rivals = older_rivals(found)
        # When calls are slow, the time doesn't suffice for the last ones; they are others in the next tick.
        names = sorted(scalers, key=lambda name: self._looked_at.get(f"{namespace.name}/{name}", -math.inf))
        await asyncio.gather(
            *(self._reconcile(namespace, scalers[name], rivals.get(name, ""), deadline) for name in names)
        )

    def _forget_all_but(self, namespace: Namespace, there: Set[str]) -> None:
        gone = self._known.get(namespace.name, frozenset()) - there
        # A call that still runs would remember the scaler again.
        busy = {name for name in gone if f"{namespace.name}/{name}" in self._threads.running}
        for name in gone - busy:
            log.info("scaler_forgotten", namespace=namespace.name, scaler=name)
            namespace.reconciler.forget(name)
            self._looked_at.pop(f"{namespace.name}/{name}", None)
        self._known[namespace.name] = there | busy

    async def _reconcile(self, namespace: Namespace, manifest: Manifest, rival: str, deadline: float) -> None:
        place = f"{namespace.name}/{_name(manifest)}"

        def look() -> None:
            self._looked_at[place] = time.monotonic()
            namespace.reconciler.reconcile(manifest, rival=rival)

        work = self._threads.run(look, name=place)
        await self._attempt(work, deadline, call="reconcile", of=place)

    async def _attempt(self, work: Awaitable[Outcome], deadline: float, *, call: str, of: str) -> Outcome | None:
        """Return what the work returns; None if it failed or had no end in time, which is logged and counted."""
        try:
            async with asyncio.timeout_at(deadline):
                return await work
        except TimeoutError:
            log.warning("call_given_up", call=call, of=of, seconds=self._pace.calls)
        except StillRuns:
            log.warning("call_still_runs", call=call, of=of)
        except OperatorError as error:
            log.warning("call_failed", call=call, of=of, error=type(error).__name__, message=str(error))
        except Exception:
            log.exception("call_crashed", call=call, of=of)
        self._measures.failed(call)
        return None


def _name(manifest: Manifest) -> str:
    metadata = manifest["metadata"]
    assert isinstance(metadata, Mapping)  # noqa: S101  # the API server's promise
    return str(metadata["name"])
