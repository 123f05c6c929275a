import asyncio
from itertools import islice
from typing import Any

import kopf

from doorbuster_operator.handlers.shell import keep_running, kopf_settings, log_in, watch


class Shell:
    """Kopf's handlers as the operator registers them, called by the test."""

    def __init__(self) -> None:
        self.registry = kopf.OperatorRegistry()
        self.stop = asyncio.Event()
        self.woken = 0
        self.began = asyncio.Event()
        self.ended = False
        log_in(self.registry, lambda **_: None)
        watch(self.registry, self.wake)
        keep_running(self.registry, self.run, self.stop)

    def wake(self) -> None:
        self.woken += 1

    async def run(self) -> None:
        self.began.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.ended = True

    async def does(self, activity: str) -> None:
        for handler in self.registry._activities.get_all_handlers():
            if handler.activity is not None and handler.activity.value == activity:
                fn: Any = handler.fn
                await fn(settings=kopf_settings())

    async def sees(self, kind: str | None, generation: int) -> None:
        (handler,) = self.registry._watching.get_all_handlers()
        fn: Any = handler.fn
        await fn(event={"type": kind}, uid="a", meta={"generation": generation})


async def test_nothing_is_registered_for_which_kopf_writes_to_an_object() -> None:
    # Finalizers of an operator that is gone would keep a namespace for ever.
    registry = Shell().registry

    assert list(registry._spawning.get_all_handlers()) == []
    assert list(registry._changing.get_all_handlers()) == []
    assert list(registry._indexing.get_all_handlers()) == []
    assert len(registry._watching.get_all_handlers()) == 1


async def test_kopf_is_alone_and_silent_and_needs_no_rights_beyond_its_namespaces() -> None:
    settings = kopf_settings()

    assert settings.peering.standalone is True
    assert settings.scanning.disabled is True
    assert (settings.posting.enabled, settings.posting.loggers) == (False, False)


async def test_every_watch_has_an_end_and_the_api_server_can_read_it() -> None:
    watching = kopf_settings().watching

    assert str(watching.server_timeout).isdigit()
    assert watching.server_timeout is not None
    assert watching.client_timeout is not None
    assert watching.server_timeout < watching.client_timeout
    assert watching.connect_timeout is not None


async def test_an_api_server_that_is_away_is_asked_again_without_an_end() -> None:
    pauses = kopf_settings().networking.error_backoffs

    assert not isinstance(pauses, int | float)
    assert list(islice(pauses, 1000))[:7] == [1, 1, 2, 3, 5, 8, 10]
    assert list(islice(pauses, 1000))[-1] == 10


async def test_a_changed_spec_wakes_and_a_written_status_does_not() -> None:
    shell = Shell()

    for kind, generation in ((None, 1), ("MODIFIED", 1), ("MODIFIED", 2), ("MODIFIED", 2), ("DELETED", 2)):
        await shell.sees(kind, generation)

    assert shell.woken == 3


async def test_the_loop_runs_from_kopfs_start_to_its_end() -> None:
    shell = Shell()
    await shell.does("startup")
    async with asyncio.timeout(10):
        await shell.began.wait()

    await shell.does("cleanup")

    assert shell.ended
    assert shell.stop.is_set()


async def test_kopf_logs_in_by_our_way_only() -> None:
    registry = kopf.OperatorRegistry()
    calls: list[object] = []
    log_in(registry, lambda **_: calls.append(1))
    (handler,) = registry._activities.get_all_handlers()
    fn: Any = handler.fn

    assert await fn(settings=kopf_settings()) is None
    assert calls == [1]
