"""Asks the API for documents, for many users at once, and again where the platform is still tired from the load."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Annotated, TypeVar

import httpx
from pydantic import BaseModel, Field, ValidationError

from loadtests.errors import ApiUnreadable

TOKENS_PATH = "/dev/issuer/tokens"
AT_ONCE = 8
TRIES = 5
PAUSE_SECONDS = 1.0
ASK_SECONDS = 10.0

Document = TypeVar("Document", bound=BaseModel)
Found = TypeVar("Found")
TokenOf = Callable[[httpx.AsyncClient, int], Awaitable[str]]
"""Returns a user's token."""


class _Token(BaseModel):
    token: Annotated[str, Field(min_length=1)]


async def issued_token(client: httpx.AsyncClient, user_id: int) -> str:
    """Return a user's token from the development issuer.

    Raises:
        ApiUnreadable: it gives none.
    """
    return (await ask(_Token, client, client.build_request("POST", TOKENS_PATH, json={"user_id": user_id}))).token


async def for_each_user(
    base_url: str,
    users: Iterable[int],
    do: Callable[[httpx.AsyncClient, int, str], Awaitable[Found]],
    *,
    token_of: TokenOf = issued_token,
    within_seconds: float,
) -> dict[int, Found]:
    """Return what is found out for each user, a few of them at once.

    Args:
        base_url: what URLs begin with.
        users: their ids.
        do: finds it out, from a client, a user and the user's token.
        token_of: where tokens come from.
        within_seconds: the most that all of it may take.

    Raises:
        ApiUnreadable: of one user it can't be found out, or all together take too long.
    """
    room = asyncio.Semaphore(AT_ONCE)

    async def found_out(client: httpx.AsyncClient, user_id: int) -> Found:
        async with room:
            return await do(client, user_id, await token_of(client, user_id))

    async with opened(base_url) as client:
        try:
            async with asyncio.timeout(within_seconds), asyncio.TaskGroup() as group:
                tasks = {user_id: group.create_task(found_out(client, user_id)) for user_id in users}
        except TimeoutError as exc:
            raise ApiUnreadable(f"{base_url} didn't tell everything within {within_seconds:g} s") from exc
        except ExceptionGroup as exc:
            # The first failure ended the others.
            raise exc.exceptions[0] from exc
    return {user_id: task.result() for user_id, task in tasks.items()}


@asynccontextmanager
async def opened(base_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client that goes straight to the ingress, whatever proxy the environment names for the rest."""
    async with httpx.AsyncClient(base_url=base_url, trust_env=False, timeout=ASK_SECONDS) as client:
        yield client


def proof(token: str) -> dict[str, str]:
    """Return the headers that say who asks."""
    return {"Authorization": f"Bearer {token}"}


async def ask(kind: type[Document], client: httpx.AsyncClient, request: httpx.Request) -> Document:
    """Return what a request brings, after some tries.

    Raises:
        ApiUnreadable: it brings something else, or nothing.
    """
    answer = await answered(client, request)
    if not answer.is_success:
        raise ApiUnreadable(f"{request.method} {request.url}: status {answer.status_code}")
    return read(kind, answer)


async def answered(client: httpx.AsyncClient, request: httpx.Request) -> httpx.Response:
    """Return the answer to a request, after some tries: the platform may still be tired from the load.

    Raises:
        ApiUnreadable: there is none but server errors.
    """
    problem = ""
    for tried in range(TRIES):
        if tried:
            await asyncio.sleep(PAUSE_SECONDS)
        try:
            answer = await client.send(request)
        except httpx.TransportError as exc:
            problem = f"no answer: {type(exc).__name__}"
            continue
        if answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
            return answer
        problem = f"status {answer.status_code}"
    raise ApiUnreadable(f"{request.method} {request.url}: {problem}")


def read(kind: type[Document], answer: httpx.Response) -> Document:
    """Return the document in an answer; raises ApiUnreadable if it is something else."""
    try:
        return kind.model_validate_json(answer.content)
    except ValidationError as exc:
        raise ApiUnreadable(f"{answer.request.url} answers something else than was asked for: {exc}") from exc
