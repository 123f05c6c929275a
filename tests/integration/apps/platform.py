"""All processes of the applications on the test's servers, and buyers with tokens."""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from doorbuster.settings import Settings
from tests.integration.apps.processes import Application, environment_of, running
from tests.integration.polling import seconds_until
from tests.ports import free_port

ISSUER = "doorbuster-development"
CONSUMERS = ("stock", "coupon", "order-flow", "payment", "post-process", "external-data")
ANSWER_SECONDS = 10
# A member of a group that is not there yet, and partitions of one that was killed, take their time.
SAGA_SECONDS = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """The processes by name, and where they answer."""

    applications: Mapping[str, Application]
    environment: Mapping[str, str]
    api_address: str
    issuer_address: str
    partner_address: str
    open_until_the_end: ExitStack

    def one_more(self, consumer: str) -> Application:
        """Return a further member of a consumer group, not started yet."""
        return Application(words=("doorbuster.consumers", consumer), environment=self.environment)

    def buyer(self, user: int) -> "Buyer":
        """Return a buyer with a token."""
        answer = httpx.post(f"{self.issuer_address}/dev/issuer/tokens", json={"user_id": user}, timeout=ANSWER_SECONDS)
        client = httpx.Client(
            base_url=self.api_address,
            headers={"Authorization": f"Bearer {answer.raise_for_status().json()['token']}"},
            timeout=ANSWER_SECONDS,
        )
        return Buyer(client=self.open_until_the_end.enter_context(client))


@dataclass(frozen=True, slots=True, kw_only=True)
class Buyer:
    """A user with a token."""

    client: httpx.Client

    def buy(self, key: str, *lines: tuple[int, int]) -> httpx.Response:
        """Order so many units of each product under a key."""
        body = {"lines": [{"product_id": product, "quantity": quantity} for product, quantity in lines]}
        return self.client.post("/api/v1/orders", json=body, headers={"Idempotency-Key": key})

    def order(self, order_id: str) -> dict[str, object]:
        """Return an order as the buyer sees it."""
        document: dict[str, object] = self.client.get(f"/api/v1/orders/{order_id}").raise_for_status().json()
        return document

    def final(self, order_id: str) -> dict[str, object]:
        """Return an order that is PAID or FAILED, as soon as it is."""
        seconds_until(
            lambda: self.order(order_id)["status"] != "PENDING",
            within_seconds=SAGA_SECONDS,
            what=f"{order_id} is final",
        )
        return self.order(order_id)

    def points(self) -> int:
        """Return the buyer's balance."""
        balance: int = self.client.get("/api/v1/points").raise_for_status().json()["balance"]
        return balance


@contextmanager
def running_platform(settings: Settings, folder: Path) -> Iterator[Platform]:
    """Run one process of each kind; they are gone afterwards."""
    ports = {name: free_port() for name in ("api", "issuer", "partner")}
    addresses = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    issuers = [{"issuer": ISSUER, "jwks_url": f"{addresses['issuer']}/dev/issuer/.well-known/jwks.json"}]
    environment = environment_of(settings) | {
        "DOORBUSTER_AUTH__ISSUERS": json.dumps(issuers),
        "DOORBUSTER_API__PORT": str(ports["api"]),
        "DOORBUSTER_ISSUER__PORT": str(ports["issuer"]),
        "DOORBUSTER_ISSUER__PRIVATE_KEY_FILE": str(_key(folder / "issuer.pem")),
        "DOORBUSTER_PARTNER__ADDRESS": f"{addresses['partner']}/orders",
        "DOORBUSTER_PARTNER_PORT": str(ports["partner"]),
    }
    words = {
        **{name: ("doorbuster.jobs." + name,) for name in ("issuer", "relay", "watch")},
        "api": ("doorbuster.api",),
        **{name: ("doorbuster.consumers", name) for name in CONSUMERS},
    }
    applications = {name: Application(words=word, environment=environment) for name, word in words.items()}
    partner = Application(words=("doorbuster.jobs.partner",), environment=environment, admin_port=ports["partner"])
    with running(partner, *applications.values()), ExitStack() as stack:
        yield Platform(
            applications={**applications, "partner": partner},
            environment=environment,
            api_address=addresses["api"],
            issuer_address=addresses["issuer"],
            partner_address=addresses["partner"],
            open_until_the_end=stack,
        )


def _key(file: Path) -> Path:
    key = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(key)
    return file
