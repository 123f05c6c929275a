"""Pauses of random length, so that those who failed together don't come back together."""

import asyncio
import random


async def pause(longest_seconds: float) -> None:
    """Sleep between nothing and `longest_seconds`."""
    await asyncio.sleep(random.uniform(0, longest_seconds))  # noqa: S311 (spreads load, keeps no secret)
