"""The API and the development issuer as processes, with a catalogue of two products and two buyers' points."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from doorbuster.infra.mysql.migrations import connected
from doorbuster.points.tables import point_balances
from doorbuster.products.tables import products
from doorbuster.settings import Settings
from tests.integration.apps.processes import Application, environment_of, running
from tests.integration.polling import seconds_until
from tests.ports import free_port

ISSUER = "doorbuster-development"
ANSWER_SECONDS = 10
POINTS = 1_000
# R17: health says within 5 s that Kafka is gone; the first look at it is the longest.
HEALTH_SECONDS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Storefront:
    """A running API, and clients of its users."""

    api: Application
    address: str
    issuer_address: str

    def client(self, user: int | None) -> httpx.Client:
        """Return a client with the user's token; without a user, without one."""
        headers = {} if user is None else {"Authorization": f"Bearer {self.token(user)}"}
        return httpx.Client(base_url=self.address, headers=headers, timeout=ANSWER_SECONDS, trust_env=False)

    def token(self, user: int) -> str:
        """Return a token of the development issuer."""
        with httpx.Client(timeout=ANSWER_SECONDS, trust_env=False) as client:
            answer = client.post(f"{self.issuer_address}/dev/issuer/tokens", json={"user_id": user})
        token: str = answer.raise_for_status().json()["token"]
        return token

    def health_that_says(self, **dependencies: str) -> httpx.Response:
        """Return the first answer of health that says this of the dependencies, which must come within 6 s."""
        with self.client(None) as client:
            answers: list[httpx.Response] = []

            def says() -> bool:
                answers.append(client.get("/api/v1/health"))
                seen: dict[str, str] = answers[-1].json()["dependencies"]
                return dependencies.items() <= seen.items()

            seconds_until(says, within_seconds=HEALTH_SECONDS, what=f"health that says {dependencies}")
            return answers[-1]

    def is_draining(self) -> bool:
        """Tell whether the API still runs and takes no new requests."""
        with httpx.Client(timeout=ANSWER_SECONDS, trust_env=False) as client:
            return client.get(f"http://127.0.0.1:{self.api.admin_port}/readyz").status_code == 503


@contextmanager
def running_storefront(
    settings: Settings, folder: Path, changes: Mapping[str, str] | None = None
) -> Iterator[Storefront]:
    """Run the API and the issuer; `changes` are variables of the API's environment that differ from the settings."""
    ports = {name: free_port() for name in ("api", "issuer")}
    addresses = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    issuers = [{"issuer": ISSUER, "jwks_url": f"{addresses['issuer']}/dev/issuer/.well-known/jwks.json"}]
    environment = environment_of(settings) | {
        "DOORBUSTER_AUTH__ISSUERS": json.dumps(issuers),
        "DOORBUSTER_API__PORT": str(ports["api"]),
        "DOORBUSTER_ISSUER__PORT": str(ports["issuer"]),
        "DOORBUSTER_ISSUER__PRIVATE_KEY_FILE": str(_key(folder / "issuer.pem")),
    }
    issuer = Application(words=("doorbuster.jobs.issuer",), environment=environment)
    api = Application(words=("doorbuster.api",), environment={**environment, **(changes or {})})
    with running(issuer, api):
        yield Storefront(api=api, address=addresses["api"], issuer_address=addresses["issuer"])


def supply(settings: Settings) -> None:
    """Fill the catalogue, and give users 1 and 2 their points."""
    with connected(settings.mysql) as connection:
        connection.execute(
            products.insert(),
            [
                {"id": 1, "name": "Lamp", "price": 100, "version": 1},
                {"id": 2, "name": "Chair", "price": 250, "version": 1},
            ],
        )
        connection.execute(point_balances.insert(), [{"user_id": user, "balance": POINTS} for user in (1, 2)])


def _key(file: Path) -> Path:
    key = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(key)
    return file
