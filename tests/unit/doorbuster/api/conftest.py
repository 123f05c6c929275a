from collections.abc import AsyncIterator

import httpx
import pytest

from tests.unit.doorbuster.api.fakes import World, client_of
from tests.unit.doorbuster.api.routes import client_with, untouchable


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
async def client(world: World) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(world) as client:
        yield client


@pytest.fixture
async def closed() -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application in which nothing can come as far as a use case."""
    async with client_with(untouchable()) as client:
        yield client
