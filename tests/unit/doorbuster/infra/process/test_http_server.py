import asyncio

import pytest
from starlette.applications import Starlette

from doorbuster.infra.process.http_server import SlowServer, serve_until
from tests.ports import free_port


async def test_on_another_loop_than_uvloops_nothing_is_served() -> None:
    with pytest.raises(SlowServer):
        await serve_until(
            asyncio.Event(), Starlette(), port=free_port(), drain_seconds=1, listening=lambda: pytest.fail("it listens")
        )
