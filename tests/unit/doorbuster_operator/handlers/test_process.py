import asyncio
import os
import signal
import urllib.request
from collections.abc import Callable

import pytest

from doorbuster_operator.handlers import process
from doorbuster_operator.handlers.roles import Namespace
from doorbuster_operator.settings import Settings
from tests.ports import free_port
from tests.unit.doorbuster_operator.handlers.loops import FakeLeadership, FakeObjects, FakeReconciler, Gate

PATIENCE_SECONDS = 10.0


class Process:
    """The process in a namespace without the kind."""

    def __init__(self) -> None:
        self.leadership = FakeLeadership()
        self.settings = Settings(
            prometheus_url="http://127.0.0.1:1",
            namespace="shop",
            metrics_port=free_port(),
            liveness_port=free_port(),
        )
        self.namespace = Namespace(name="shop", objects=FakeObjects(found=None), reconciler=FakeReconciler())

    async def ends_after(self, step: Callable[[], None]) -> None:
        running = asyncio.create_task(process.run(self.settings, [self.namespace], self.leadership))
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self.answers(self.settings.liveness_port)
            await asyncio.to_thread(step)
            os.kill(os.getpid(), signal.SIGTERM)
            await running

    async def answers(self, port: int) -> None:
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.01)
            else:
                writer.close()
                return


def read(port: int, path: str) -> str:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://127.0.0.1:{port}/{path}", timeout=PATIENCE_SECONDS) as answer:
        return str(answer.read().decode())


async def test_a_process_that_waits_is_alive_has_metrics_and_ends_when_it_is_asked_to() -> None:
    waiting = Process()
    seen: list[str] = []

    def look() -> None:
        seen.append(read(waiting.settings.liveness_port, "healthz"))
        seen.append(read(waiting.settings.metrics_port, "metrics"))

    await waiting.ends_after(look)

    assert seen[0] == "ok\n"
    assert "operator_leader" in seen[1]
    assert waiting.leadership.released == 1


async def test_a_lease_that_cannot_be_given_back_keeps_nobody_from_ending(monkeypatch: pytest.MonkeyPatch) -> None:
    hanging = Process()
    gate = Gate()
    hanging.settings = hanging.settings.model_copy(update={"request_seconds": 0.05})
    monkeypatch.setattr(hanging.leadership, "release", gate.wait)

    await hanging.ends_after(lambda: None)

    gate.open()
