"""A buyer of the platform under test: everything through the ingress, as from any other machine."""

import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import httpx

from doorbuster_cluster.commands.token import token_of
from doorbuster_cluster.settings import Settings
from tests.e2e.kubernetes import Kubernetes, Object
from tests.integration.polling import seconds_until

APPS = "app.kubernetes.io/instance=apps"
# Pods of a new release join their groups, and after a restart of the node everything starts at once.
STARTING_SECONDS = 300
# A saga takes well under a second at rest; this is a busy machine with two cores.
SAGA_SECONDS = 60
ASK_SECONDS = 10.0
FINAL = {"PAID", "FAILED"}
Line = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Buyer:
    """One user with a token."""

    base: str
    token: str = field(repr=False)

    def get(self, path: str) -> httpx.Response:
        """Return what the API answers."""
        return httpx.get(self.base + path, headers=self._headers(), timeout=ASK_SECONDS, trust_env=False)

    def post(self, path: str, body: Object, key: str = "") -> httpx.Response:
        """Return the answer to an intent; a new key unless one is given."""
        headers = {**self._headers(), "Idempotency-Key": key or str(uuid.uuid4())}
        return httpx.post(self.base + path, headers=headers, json=body, timeout=ASK_SECONDS, trust_env=False)

    def put(self, path: str, body: Object) -> httpx.Response:
        """Return the answer to a wish how something shall be."""
        return httpx.put(self.base + path, headers=self._headers(), json=body, timeout=ASK_SECONDS, trust_env=False)

    def events(self, path: str) -> Iterator[Object]:
        """Yield what a stream tells, until it ends."""
        with httpx.stream("GET", self.base + path, headers=self._headers(), timeout=ASK_SECONDS, trust_env=False) as it:
            for line in it.iter_lines():
                if line.startswith("data: "):
                    yield json.loads(line.removeprefix("data: "))

    def place(self, *lines: Line, key: str = "") -> httpx.Response:
        """Return the answer to an order of products and quantities; a new key unless one is given."""
        wanted = [{"product_id": product, "quantity": quantity} for product, quantity in lines]
        return self.post("/api/v1/orders", {"lines": wanted}, key)

    def accepted(self, *lines: Line) -> str:
        """Return the id of an order that was accepted."""
        answer = self.place(*lines)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def order(self, order_id: str) -> Object:
        """Return an order as it is now."""
        found: Object = self.get(f"/api/v1/orders/{order_id}").raise_for_status().json()
        return found

    def orders(self) -> list[str]:
        """Return the ids of all orders of the buyer, newest first."""
        found: list[str] = []
        cursor = ""
        while True:
            page = self.get(f"/api/v1/orders?limit=100{cursor}").raise_for_status().json()
            found += [order["id"] for order in page["orders"]]
            if page["next_cursor"] is None:
                return found
            cursor = f"&cursor={page['next_cursor']}"

    def final(self, order_id: str) -> Object:
        """Return an order that is PAID or FAILED, as soon as it is."""
        seconds_until(
            lambda: self.order(order_id)["status"] in FINAL, within_seconds=SAGA_SECONDS, what=f"{order_id} is final"
        )
        return self.order(order_id)

    def balance(self) -> int:
        """Return the buyer's points."""
        return int(self.get("/api/v1/points").raise_for_status().json()["balance"])

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """The applications behind the ingress."""

    settings: Settings

    @property
    def base(self) -> str:
        """What URLs begin with."""
        return f"http://127.0.0.1:{self.settings.port}"

    def buyer(self, user: int) -> Buyer:
        """Return a user of the seed profile, with a token."""
        return Buyer(base=self.base, token=token_of(self.settings, user))

    def stranger(self) -> Buyer:
        """Return somebody without a token."""
        return Buyer(base=self.base, token="")

    def healthy(self) -> bool:
        """Return whether the API says that all is well."""
        return self.stranger().get("/api/v1/health").status_code == 200

    def faults(self) -> Sequence[str] | None:
        """Return the faults that are switched on anywhere, as the API's health names them; None if it doesn't know."""
        found: Sequence[str] | None = self.stranger().get("/api/v1/health").json()["faults"]
        return found


def deployments(kubernetes: Kubernetes) -> Sequence[str]:
    """Return the names of the applications' Deployments."""
    return [found["metadata"]["name"] for found in kubernetes.list("deployments", APPS)]


def pod_of(kubernetes: Kubernetes, component: str) -> Object:
    """Return a pod of the applications."""
    return kubernetes.list("pods", f"{APPS},app.kubernetes.io/component={component}")[0]


def restarts(kubernetes: Kubernetes) -> Mapping[str, int]:
    """Return how often a process of the applications has ended and was started again, by pod."""
    return {
        pod["metadata"]["name"]: sum(each["restartCount"] for each in pod["status"].get("containerStatuses", ()))
        for pod in kubernetes.list("pods", APPS)
    }
