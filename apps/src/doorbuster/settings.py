"""What a process is told by its environment: read once, typed, frozen; unsafe values refuse to start.

Variables begin with DOORBUSTER_, groups are separated by two underscores: DOORBUSTER_MYSQL__HOSTS. Passwords come from
files that Secrets are mounted as.
"""

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

Port = Annotated[int, Field(ge=1, le=65535)]


def _split(value: object) -> object:
    return tuple(word.strip() for word in value.split(",") if word.strip()) if isinstance(value, str) else value


def _seconds(text: str) -> timedelta:
    if text.strip() in {"", "0"}:
        return timedelta(0)
    found = re.fullmatch(r"(\d{1,6}(?:\.\d{1,6})?)(ms|s)", text.strip())
    if found is None:
        raise ValueError("a duration is a number with the unit ms or s, as 120ms")
    return timedelta(seconds=float(found[1]) * (0.001 if found[2] == "ms" else 1))


class MySqlSettings(BaseModel, frozen=True):
    """How to reach the MySQL group, or a managed server as a list of one host (P10)."""

    hosts: Annotated[tuple[str, ...], NoDecode] = ("127.0.0.1",)
    """Hosts of the members, separated by commas. Any of them is asked who is the primary (R18)."""
    port: Port = 3306
    """Port of every member."""
    user: str = "app"
    """The applications' account."""
    database: str = "doorbuster"
    """The applications' database."""
    password_file: Path | None = None
    """File with the account's password; None means an account without one."""
    pool_size: Annotated[int, Field(ge=1, le=16)] = 4
    """Connections to the primary, without overflow: 2 in a consumer, 4 in an API pod (R18)."""
    connect_seconds: Annotated[float, Field(gt=0)] = 2.0
    """Longest time to open a connection; a shorter one gives up on busy machines."""
    transaction_seconds: Annotated[float, Field(gt=0)] = 2.0
    """Longest time of one round trip in a transaction (R2); then the connection is closed."""

    @field_validator("hosts", mode="before")
    @classmethod
    def _hosts(cls, value: object) -> object:
        return _split(value)

    @property
    def password(self) -> SecretStr:
        """The password, read anew each time: a Secret may be changed."""
        return SecretStr(self.password_file.read_text().strip() if self.password_file else "")


class KafkaSettings(BaseModel, frozen=True):
    """How to reach Kafka."""

    servers: str = "127.0.0.1:9092"
    """Bootstrap servers, `host:port` separated by commas; all of them, so that one may be gone."""


class RedisSettings(BaseModel, frozen=True):
    """How to reach Redis through its Sentinels, or a managed one directly."""

    sentinels: Annotated[tuple[str, ...], NoDecode] = ()
    """`host:port` of the Sentinels, separated by commas; empty means no Sentinels."""
    primary_name: str = "doorbuster"
    """The name under which the Sentinels know the primary."""
    address: str = "127.0.0.1:6379"
    """`host:port` of Redis where there are no Sentinels."""
    password_file: Path | None = None
    """File with the password of Redis and Sentinels."""

    @field_validator("sentinels", mode="before")
    @classmethod
    def _sentinels(cls, value: object) -> object:
        return _split(value)

    @property
    def password(self) -> SecretStr:
        """The password, read anew each time."""
        return SecretStr(self.password_file.read_text().strip() if self.password_file else "")


class IssuerSettings(BaseModel, frozen=True):
    """An issuer of tokens that the API believes (R20)."""

    issuer: Annotated[str, Field(min_length=1, max_length=255)]
    """What its tokens carry as `iss`."""
    jwks_url: Annotated[str, Field(pattern=r"^https?://", max_length=2048)]
    """Where its public keys are, as a JSON Web Key Set."""


class AuthSettings(BaseModel, frozen=True):
    """Whose tokens the API believes."""

    issuers: tuple[IssuerSettings, ...] = ()
    """JSON list of objects with `issuer` and `jwks_url`; none means that every token is refused."""
    audience: Annotated[str, Field(min_length=1)] = "doorbuster"
    """What a token must carry as `aud`."""
    leeway_seconds: Annotated[float, Field(ge=0, le=60)] = 5.0
    """How far an issuer's clock may be off."""


class ApiSettings(BaseModel, frozen=True):
    """The HTTP API's own."""

    port: Port = 8000
    """Public port."""
    deadline_seconds: Annotated[float, Field(gt=0, le=30)] = 2.5
    """Longest time of a request; a client is told by then, whatever is known."""
    drain_seconds: Annotated[float, Field(ge=1, le=25)] = 15.0
    """Longest time for open requests to end after SIGTERM; the pod's grace is 30 seconds."""


class IssuerJobSettings(BaseModel, frozen=True):
    """The development issuer's own (R20)."""

    port: Port = 8010
    """Port of the issuer."""
    name: Annotated[str, Field(min_length=1, max_length=255)] = "doorbuster-development"
    """What its tokens carry as `iss`."""
    private_key_file: Path | None = None
    """File with the Ed25519 private key in PEM (PKCS 8); the issuer refuses to start without one."""


class PartnerSettings(BaseModel, frozen=True):
    """The partner that is told about paid orders (R11)."""

    address: Annotated[str, Field(pattern=r"^https?://", max_length=2048)] | None = None
    """URL that takes orders by POST; None means that deliveries wait until there is one."""


class AuditSettings(BaseModel, frozen=True):
    """How the auditor looks (R21)."""

    look_seconds: Annotated[float, Field(gt=0, le=60)] = 30.0
    """Pause between two looks at what has changed."""
    full_scan_seconds: Annotated[float, Field(ge=60)] = 3600.0
    """Time between two looks at everything, which find what was changed by hand."""
    final_within_seconds: Annotated[float, Field(ge=1)] = 300.0
    """How long an order may be PENDING before that is a breach."""


class CopySettings(BaseModel, frozen=True):
    """Which copies of products may be read (R6); off, to measure what they are worth. Answers stay the same."""

    process: bool = True
    """Copies in the process, for a second."""
    redis: bool = True
    """Copies in Redis, for some seconds."""


class FaultSettings(BaseModel, frozen=True):
    """What is made to go wrong on purpose, to see how the platform answers (P19). Nothing, unless somebody says so."""

    delay_per_record: Annotated[timedelta, Field(ge=timedelta(0), le=timedelta(seconds=10))] = timedelta(0)
    """How long a consumer is held up for each record, as `120ms` or `1.5s`; 0 or empty means not at all."""
    error_rate: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Share of a consumer's batches, 0 to 1, that fail before anything is written, as by a server that went away."""
    error_seed: int = 0
    """Which batches those are: the same seed has the same ones fail, by their number in the process."""
    stuck_partition: Annotated[str, Field(pattern=r"^[a-z][a-z0-9.-]*/\d{1,4}$")] | None = None
    """Partition of which a consumer takes no records, as `order-created/3`; None or empty means that it takes all."""
    slow_query: Annotated[timedelta, Field(ge=timedelta(0), le=timedelta(milliseconds=1500))] = timedelta(0)
    """How long each of a consumer's transactions waits in the database, as `300ms`; less than a round trip may take."""
    poison: bool = False
    """Whether messages that can never succeed may be produced from this process' pod."""

    @field_validator("delay_per_record", "slow_query", mode="before")
    @classmethod
    def _duration(cls, value: object) -> object:
        return _seconds(value) if isinstance(value, str) else value

    @field_validator("stuck_partition", mode="before")
    @classmethod
    def _partition(cls, value: object) -> object:
        return value or None


class CatalogueSettings(BaseModel, frozen=True):
    """What the catalogue must have."""

    minimum_products: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    """With fewer products health fails and an alert fires: nearly every order of a full sale would be refused."""


class Settings(BaseSettings):
    """Everything that a process of the applications is told."""

    model_config = SettingsConfigDict(env_prefix="DOORBUSTER_", env_nested_delimiter="__", frozen=True, extra="ignore")

    mysql: MySqlSettings = MySqlSettings()
    kafka: KafkaSettings = KafkaSettings()
    redis: RedisSettings = RedisSettings()
    auth: AuthSettings = AuthSettings()
    api: ApiSettings = ApiSettings()
    issuer: IssuerJobSettings = IssuerJobSettings()
    partner: PartnerSettings = PartnerSettings()
    audit: AuditSettings = AuditSettings()
    faults: FaultSettings = FaultSettings()
    catalogue: CatalogueSettings = CatalogueSettings()
    copies: CopySettings = CopySettings()
    admin_port: Port = 9100
    """Port of metrics and probes, never reachable from the ingress."""
    log_level: str = "INFO"
    """Least severe level that is logged."""
