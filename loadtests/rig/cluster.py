"""The cluster under load: how it stands, what is done in it for a run, and how it is brought back."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from doorbuster_cluster.commands.session import Session
from doorbuster_cluster.commands.supply import APPS
from doorbuster_cluster.commands.up import RELEASES
from doorbuster_cluster.runtime.releases import DEPLOYED, NAMESPACE, values_file
from doorbuster_cluster.runtime.toolbox import Toolbox
from loadtests.rig.api_server import SCALERS, WORKLOADS, ApiServer
from loadtests.rig.database import Database, executor
from loadtests.rig.errors import QuestionFailed, RigError, TopUpFailed
from loadtests.rig.prometheus import QUIET, ask
from loadtests.rig.releases import change, read_release
from loadtests.rig.standing import Standing, Work, at_work, restless, standing_of, unfit
from loadtests.rig.supplies import Supplies, TopUp, top_up_command

API = "deployment/apps-api"
HEALTH = "/api/v1/health"
ASK_SECONDS = 5.0
TOP_UP_SECONDS = 180.0
MAKE_UP = "type `make up`: it brings everything back to what it should be"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Our kind cluster.

    Attributes:
        session: names it, and has helm and kubectl.
        api: its API server.
        database: the applications'.
    """

    session: Session
    api: ApiServer
    database: Database

    @property
    def base_url(self) -> str:
        """Where the platform answers. An address, because glibc doesn't resolve `shop.localhost`."""
        return f"http://127.0.0.1:{self.session.settings.port}"

    @property
    def tools(self) -> Toolbox:
        """Helm and kubectl."""
        return self.session.tools

    def check(self) -> None:
        """Look for what doesn't go away by waiting.

        Raises:
            RigError: there is something; `make up` mends it.
        """
        wrong = [*self._wrong_releases(), *unfit(self._standing())]
        if wrong:
            raise RigError(f"a run can't begin: {'; '.join(wrong)}", hint=MAKE_UP)

    def restless(self) -> list[str]:
        """Return what is still in the way of a run."""
        return [*restless(self._standing(), self._work()), *self._unhealthy()]

    def at_work(self) -> list[str]:
        """Return what somebody still works on."""
        return at_work(self._work())

    def top_up(self, wanted: TopUp) -> Supplies:
        """Make what a load needs before it begins.

        Raises:
            TopUpFailed: the job said nothing that can be read.
            CommandFailed: it failed.
        """
        return supplies_in(self.in_pod(API, *top_up_command(wanted), timeout_seconds=TOP_UP_SECONDS))

    def in_pod(self, place: str, *words: str, timeout_seconds: float) -> str:
        """Return what a program in a pod of ours printed; raises CommandFailed or CommandTimedOut."""
        return self.tools.kubectl(*exec_words(place, *words), timeout_seconds=timeout_seconds)

    def change(self, values: Mapping[str, str]) -> None:
        """Change values of the applications, and return when everything is rolled out."""
        change(self.tools, values)

    def restore(self) -> None:
        """Bring the applications' release back to what `make up` installed; the same when it is that already."""
        values = values_file(self.session.settings, APPS)
        read_release(values).install(self.tools, values)

    def unfinished(self, supplies: Supplies) -> tuple[int, int]:
        """Return how many orders of the buyers aren't final, and how many FAILED aren't compensated."""
        return self.database.unfinished(supplies.first_user, supplies.last_user)

    def oversold(self) -> int:
        """Return how many units were sold beyond what was supplied, over all products."""
        return self.database.oversold()

    def negative_points(self) -> int:
        """Return how many users have less than nothing."""
        return self.database.negative_points()

    def misbooked(self) -> int:
        """Return how many products, orders and balances don't fit what was paid; only at rest they all do."""
        return self.database.misbooked()

    def _standing(self) -> Standing:
        workloads = [each for kind in ("deployments", "statefulsets") for each in self.api.objects(WORKLOADS, kind)]
        return standing_of(workloads, self.api.objects(SCALERS, "consumerscalers"))

    def _work(self) -> Work:
        lag = ask(self.api, QUIET).get("lag")
        return Work(**self.database.work(), lag=None if lag is None else round(lag))

    def _wrong_releases(self) -> list[str]:
        listed = json.loads(self.tools.helm("list", "--namespace", NAMESPACE, "--output", "json"))
        wrong = wrong_releases({each["name"]: each["status"] for each in listed})
        if wrong:
            return wrong
        values = values_file(self.session.settings, APPS)
        current = read_release(values).is_current(self.tools)
        return [] if current else [f"the release {APPS} isn't what `make up` installs"]

    def _unhealthy(self) -> list[str]:
        try:
            answer = httpx.get(self.base_url + HEALTH, timeout=ASK_SECONDS, trust_env=False)
        except httpx.HTTPError as exc:
            raise QuestionFailed(f"nobody answers at {self.base_url}: {exc}") from exc
        return [] if answer.status_code == httpx.codes.OK else [f"{HEALTH} answers {answer.status_code}"]


def open_cluster(session: Session, api: ApiServer) -> Cluster:
    """Return the cluster of a session; nobody is asked yet."""
    return Cluster(session=session, api=api, database=Database(executor(session.tools)))


def exec_words(place: str, *words: str) -> tuple[str, ...]:
    """Return kubectl's words that run a program in a pod of ours, such as one of `deployment/apps-api`."""
    return "exec", place, "--namespace", NAMESPACE, "--", *words


def wrong_releases(statuses: Mapping[str, str]) -> list[str]:
    """Return what is wrong with the releases, by helm's word for each that there is."""
    found = {name: statuses.get(name, "missing") for name in RELEASES}
    return [f"the release {name} is {status}" for name, status in found.items() if status != DEPLOYED]


def supplies_in(printed: str) -> Supplies:
    """Return what the top-up made, from what it printed.

    Raises:
        TopUpFailed: it isn't what the job prints.
    """
    try:
        return Supplies(**json.loads(printed))
    except (ValueError, TypeError) as exc:
        raise TopUpFailed(
            f"the top-up printed something else than one line of JSON: {printed[:200]!r}",
            hint="`kubectl logs deployment/apps-api` and the versions of image and tree may say more",
        ) from exc
