from collections.abc import AsyncIterator

import httpx
import pytest

from tests.unit.doorbuster.api.fakes import World, client_of


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
async def client(world: World) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(world) as client:
        yield client
