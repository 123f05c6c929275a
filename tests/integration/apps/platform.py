"""All processes of the applications on the test's servers, and buyers with tokens."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from doorbuster.settings import Settings
from tests.integration.apps.processes import Application, environment_of, running
from tests.integration.apps.storefront import Storefront, running_storefront
from tests.integration.polling import seconds_until
from tests.ports import free_port

CONSUMERS = ("stock", "coupon", "order-flow", "payment", "post-process", "external-data", "coupon-issuer")
# A member of a group that is not there yet, and partitions of one that was killed, take their time.
SAGA_SECONDS = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """The storefront, and the processes behind it by name."""

    front: Storefront
    applications: Mapping[str, Application]
    environment: Mapping[str, str]
    partner_address: str
    open_until_the_end: ExitStack

    def one_more(self, consumer: str) -> Application:
        """Return a further member of a consumer group, not started yet."""
        return Application(words=("doorbuster.consumers", consumer), environment=self.environment)

    def buyer(self, user: int) -> "Buyer":
        """Return a buyer with a token."""
        return Buyer(client=self.open_until_the_end.enter_context(self.front.client(user)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Buyer:
    """A user with a token."""

    client: httpx.Client

    def buy(self, key: str, *lines: tuple[int, int], coupon: int | None = None) -> httpx.Response:
        """Order so many units of each product under a key, perhaps with a coupon."""
        wanted = [{"product_id": product, "quantity": quantity} for product, quantity in lines]
        body = {"lines": wanted, "coupon_id": coupon}
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
    port = free_port()
    partner_address = f"http://127.0.0.1:{port}"
    environment = environment_of(settings) | {
        "DOORBUSTER_PARTNER__ADDRESS": f"{partner_address}/orders",
        "DOORBUSTER_PARTNER_PORT": str(port),
    }
    partner = Application(words=("doorbuster.jobs.partner",), environment=environment, admin_port=port)
    words = {
        **{name: (f"doorbuster.jobs.{name}",) for name in ("relay", "watch")},
        **{name: ("doorbuster.consumers", name) for name in CONSUMERS},
    }
    behind = {name: Application(words=word, environment=environment) for name, word in words.items()}
    with running_storefront(settings, folder) as front, running(partner, *behind.values()), ExitStack() as stack:
        yield Platform(
            front=front,
            applications={**behind, "api": front.api},
            environment=environment,
            partner_address=partner_address,
            open_until_the_end=stack,
        )
