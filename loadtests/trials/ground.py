"""The local cluster, with what scenarios ask of it beyond the rig: coupons, lag over time, the auditor."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass

import httpx

from doorbuster_cluster.commands.session import Session
from doorbuster_cluster.errors import ClusterError
from loadtests.checks.asking import issued_token, opened, proof
from loadtests.checks.own import BALANCE_PATH
from loadtests.reports.audit import Audit, audit_in
from loadtests.rig.api_server import ApiServer
from loadtests.rig.cluster import API, Cluster, exec_words
from loadtests.rig.database import Database, executor
from loadtests.rig.errors import JobFailed, QuestionFailed
from loadtests.rig.prometheus import MOST_LAG, ask_over

AUDITOR = "deployment/apps-audit"
AUDIT = ("python3", "-m", "doorbuster.jobs.audit", "--json")
# A million users and products are looked at, while the machine has other work.
AUDIT_SECONDS = 1_800.0
COUPONS = ("python3", "-m", "doorbuster.jobs.coupons")
COUPONS_SECONDS = 150.0
PERCENT = 10
# What the auditor's job ends with when it has looked: no breach, and a breach.
LOOKED = {0, 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalGround(Cluster):
    """Our kind cluster under a scenario's load."""

    def open_sagas(self) -> int:
        """Return how many orders aren't final, or FAILED and not compensated."""
        return self.database.work()["sagas"]

    def make_coupon(self, *, total: int) -> int:
        """Make a coupon that takes 10 % off, and return its id.

        Raises:
            JobFailed: the job said nothing that can be read.
        """
        name = ("--name", "doorbuster-scenario", "--percentage", str(PERCENT), "--total", str(total))
        return coupon_in(self._coupons("create", *name), "id")

    def issued(self, coupon: int) -> int:
        """Return how many of a coupon are given away; raises QuestionFailed, and may be asked again."""
        try:
            return coupon_in(self._coupons("show", "--coupon", str(coupon)), "issued")
        except ClusterError as exc:
            raise QuestionFailed(f"how many of coupon {coupon} are given away isn't known: {exc}") from exc

    def has_product(self, product_id: int) -> bool:
        """Return whether the shop has this product.

        Raises:
            QuestionFailed: nobody answers, or something else than yes or no.
        """
        return is_there(self.base_url, f"/api/v1/products/{product_id}")

    def has_user(self, user_id: int) -> bool:
        """Return whether this user has an account of points; raises QuestionFailed, or ApiUnreadable."""
        return is_there(self.base_url, BALANCE_PATH, user_id=user_id)

    def lag(self, *, begin: float, end: float) -> Sequence[tuple[float, float]]:
        """Return the most lag of any consumer group at each moment; raises QuestionFailed."""
        return ask_over(self.api, MOST_LAG, begin=begin, end=end)

    def audit(self) -> Audit:
        """Return what the auditor says of everything there is.

        Raises:
            JobFailed: it could not look.
            NotAnAudit: it said nothing that can be read.
        """
        done = self.tools.try_kubectl(*exec_words(AUDITOR, *AUDIT), timeout_seconds=AUDIT_SECONDS)
        # Kubectl ends with what the job ends with, and with 1 also when it can't reach it.
        if done.returncode not in LOOKED or not done.stdout.strip():
            raise JobFailed(
                f"the auditor could not look: {done.stderr.strip()[-500:] or done.returncode}",
                hint="`make status` shows whether MySQL has a member that is fit to be read from",
            )
        return audit_in(done.stdout)

    def _coupons(self, *words: str) -> str:
        return self.in_pod(API, *COUPONS, *words, timeout_seconds=COUPONS_SECONDS)


def is_there(base_url: str, path: str, *, user_id: int | None = None) -> bool:
    """Return whether the API has what a path names.

    Args:
        base_url: what URLs begin with.
        path: what is asked for.
        user_id: in whose name; None means in nobody's.

    Raises:
        QuestionFailed: nobody answers, or something else than yes or no.
        ApiUnreadable: there is no token for this user.
    """

    async def answered() -> int:
        async with opened(base_url) as client:
            headers = {} if user_id is None else proof(await issued_token(client, user_id))
            return (await client.get(path, headers=headers)).status_code

    try:
        status = asyncio.run(answered())
    except httpx.HTTPError as exc:
        raise QuestionFailed(f"nobody answers at {base_url}: {exc}") from exc
    if status not in {httpx.codes.OK, httpx.codes.NOT_FOUND}:
        raise QuestionFailed(f"{path} answers {status}")
    return status == httpx.codes.OK


def open_ground(session: Session, api: ApiServer) -> LocalGround:
    """Return the cluster of a session; nobody is asked yet."""
    return LocalGround(session=session, api=api, database=Database(executor(session.tools)))


def coupon_in(printed: str, field: str) -> int:
    """Return a number of the coupon that the coupons' job printed as one line.

    Raises:
        JobFailed: it isn't what the job prints.
    """
    try:
        found = json.loads(printed)[field]
    except (ValueError, TypeError, KeyError) as exc:
        raise JobFailed(f"the coupons' job printed something else than a coupon: {printed[:200]!r}") from exc
    if not isinstance(found, int):
        raise JobFailed(f"a coupon's {field} is no number: {found!r}")
    return found
