"""Awaits the answers to several questions, of which some may be refused."""

import asyncio
from collections.abc import Awaitable, Mapping
from typing import TypeVar

K = TypeVar("K")
T = TypeVar("T")


async def outcomes(
    asked: Mapping[K, Awaitable[T]], refusals: tuple[type[Exception], ...]
) -> tuple[Mapping[K, T], Mapping[K, Exception]]:
    """Return the answers, and the refusals of all other questions; raises what is none of `refusals`."""
    ended = await asyncio.gather(*asked.values(), return_exceptions=True)
    told: dict[K, T] = {}
    refused: dict[K, Exception] = {}
    for key, outcome in zip(asked, ended, strict=True):
        if not isinstance(outcome, BaseException):
            told[key] = outcome
        elif isinstance(outcome, refusals):
            refused[key] = outcome
        else:
            raise outcome
    return told, refused
