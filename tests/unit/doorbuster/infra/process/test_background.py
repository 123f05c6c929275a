import asyncio

import pytest

from doorbuster.infra.process.background import in_background


async def test_background_work_ends_with_the_context() -> None:
    ended = asyncio.Event()

    async def endless() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with in_background(endless()):
        await asyncio.sleep(0)
        assert not ended.is_set()
    assert ended.is_set()


async def test_background_work_that_fails_ends_the_context() -> None:
    async def faulty() -> None:
        raise RuntimeError("a bug")

    with pytest.raises(ExceptionGroup) as failure:
        async with in_background(faulty()):
            await asyncio.sleep(60)
    assert failure.group_contains(RuntimeError, match="a bug")
