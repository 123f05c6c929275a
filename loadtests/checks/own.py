"""What users see of their own points and coupon issues in the end."""

import asyncio
import time
from collections.abc import Iterable, Mapping
from functools import partial
from http import HTTPStatus
from uuid import UUID

import httpx
from pydantic import BaseModel

from loadtests.checks.asking import answered, ask, for_each_user, proof, read
from loadtests.checks.issues import IssueStatus, SeenIssue

BALANCE_PATH = "/api/v1/points"
ISSUE_PATH = "/api/v1/coupon-issues/{issue_id}"
ISSUES_PATH = "/api/v1/coupons/{coupon_id}/issues"
# Some hundreds of users take some seconds.
WITHIN_SECONDS = 120.0
# Between two looks at an issue that isn't ISSUED yet.
LOOK_SECONDS = 0.5


class _Balance(BaseModel):
    balance: int


class _Issue(BaseModel):
    id: UUID
    coupon_id: int
    status: IssueStatus


async def balances_of(base_url: str, users: Iterable[int], *, within_seconds: float = WITHIN_SECONDS) -> dict[int, int]:
    """Return everybody's points; raises ApiUnreadable."""

    async def balance(client: httpx.AsyncClient, _user: int, token: str) -> int:
        return (await ask(_Balance, client, client.build_request("GET", BALANCE_PATH, headers=proof(token)))).balance

    return await for_each_user(base_url, users, balance, within_seconds=within_seconds)


async def issues_seen(
    base_url: str, told: Mapping[int, str], *, issued_within_seconds: float, within_seconds: float = WITHIN_SECONDS
) -> dict[int, SeenIssue]:
    """Return what the API says of issues, by user; what it doesn't know is left out.

    Args:
        base_url: what URLs begin with.
        told: the id that each user read.
        issued_within_seconds: so long each is looked at again while it isn't ISSUED, from now on.
        within_seconds: the most that all of it may take.

    Raises:
        ApiUnreadable: an issue can't be read, or all together take too long.
    """
    look = partial(_watched, told=told, until=time.monotonic() + issued_within_seconds)
    found = await for_each_user(base_url, told, look, within_seconds=within_seconds + issued_within_seconds)
    return {user: issue for user, issue in found.items() if issue is not None}


async def issues_wanted(
    base_url: str, users: Iterable[int], *, coupon: int, within_seconds: float = WITHIN_SECONDS
) -> dict[int, str]:
    """Return the issue of each of the users who has one, by wanting it again: whoever has it is given the same.

    Ask only when the coupon is sold out, or each of them gets one now.

    Raises:
        ApiUnreadable: a user isn't told, or all together take too long.
    """
    want = partial(_wanted, path=ISSUES_PATH.format(coupon_id=coupon))
    found = await for_each_user(base_url, users, want, within_seconds=within_seconds)
    return {user: issue_id for user, issue_id in found.items() if issue_id is not None}


async def _wanted(client: httpx.AsyncClient, _user: int, token: str, *, path: str) -> str | None:
    answer = await answered(client, client.build_request("POST", path, headers=proof(token)))
    # Sold out is the only 409 of a coupon that is valid.
    return None if answer.status_code == HTTPStatus.CONFLICT else str(read(_Issue, answer).id)


async def _watched(
    client: httpx.AsyncClient, user: int, token: str, *, told: Mapping[int, str], until: float
) -> SeenIssue | None:
    path = ISSUE_PATH.format(issue_id=told[user])
    while True:
        answer = await answered(client, client.build_request("GET", path, headers=proof(token)))
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return None
        issue = read(_Issue, answer)
        if issue.status is IssueStatus.ISSUED or time.monotonic() >= until:
            return SeenIssue(issue_id=str(issue.id), coupon_id=issue.coupon_id, status=issue.status)
        await asyncio.sleep(LOOK_SECONDS)
