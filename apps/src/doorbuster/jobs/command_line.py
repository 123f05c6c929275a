"""What the commands of a person share: the answer on standard output, logs on standard error, a sentence on failure.

So an answer that a program reads never mixes with logs, and nobody has to read a traceback.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import TypeVar

import click

from doorbuster.infra.logging import configure
from doorbuster.kernel.errors import DoorbusterError
from doorbuster.settings import Settings

T = TypeVar("T")


def answered(work: Callable[[Settings], Awaitable[T]], *, within_seconds: float, too_late: str) -> T:
    """Return what the work returns, with the settings of the environment.

    Args:
        work: what the command does.
        within_seconds: so long it may take.
        too_late: what the person is told when it takes longer.

    Raises:
        ClickException: it failed; the command ends with 1 and the sentence that says why.
    """
    settings = Settings()
    configure(settings.log_level, sys.stderr.buffer)

    async def bounded() -> T:
        async with asyncio.timeout(within_seconds):
            return await work(settings)

    try:
        return asyncio.run(bounded())
    except TimeoutError as error:
        raise click.ClickException(f"not done within {within_seconds:g} s; {too_late}") from error
    except DoorbusterError as error:
        raise click.ClickException(str(error)) from error
