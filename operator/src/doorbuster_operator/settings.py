"""What the operator is told by its environment: read once, typed, frozen; what makes no sense refuses to start."""

import socket
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PREFIX = "DOORBUSTER_OPERATOR_"
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
# Of the Prometheus and Kubernetes calls of one tick together (P16).
SHARE_OF_A_TICK = 0.5

Port = Annotated[int, Field(ge=1, le=65535)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]


class UnusableSettings(Exception):
    """The environment makes no sense; the message has a line for each variable."""


class Settings(BaseSettings):
    """Everything that the operator is told."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", use_attribute_docstrings=True, hide_input_in_errors=True
    )

    prometheus_url: Annotated[str, Field(pattern=r"^https?://[^/\s]+", max_length=2048)]
    """Address of Prometheus, like http://observability-prometheus:9090. Required."""
    namespace: Name
    """The operator's own namespace; its Lease is there. Required."""
    namespaces: Annotated[tuple[Name, ...], NoDecode] = ()
    """Where ConsumerScalers are looked for, separated by commas. Empty means the own namespace only."""
    tick_seconds: Annotated[float, Field(gt=0, le=10)] = 5.0
    """Time from one look at all scalers to the next. The Lease, of 15 s, is renewed each time, so at most 10."""
    scrape_seconds: Annotated[float, Field(gt=0, le=300)] = 5.0
    """Prometheus' scrape interval for consumers and lag; samples older than three of them are missing."""
    request_seconds: Annotated[float, Field(gt=0)] = 1.0
    """Longest time of one call to Prometheus or to the API server; at most a quarter of a tick."""
    threads: Annotated[int, Field(ge=1, le=64)] = 8
    """Most scalers that are looked at together; more of them wait in the same tick."""
    lease_name: Annotated[str, Field(min_length=1, max_length=253)] = "operator"
    """The Lease that says which of several operators acts."""
    identity: Annotated[str, Field(min_length=1, max_length=253)] = Field(default_factory=socket.gethostname)
    """Name of this operator in the Lease. Empty means the host's name, which is the pod's."""
    log_level: str = "INFO"
    """Least severe level that is logged: DEBUG, INFO, WARNING or ERROR."""
    metrics_port: Port = 9100
    """Port of /metrics."""
    liveness_port: Port = 9101
    """Port of /healthz."""
    kubeconfig: Path | None = None
    """File that says where the API server is. Empty means the service account of the pod."""

    @field_validator("namespaces", mode="before")
    @classmethod
    def _separate(cls, value: object) -> object:
        return tuple(word.strip() for word in value.split(",") if word.strip()) if isinstance(value, str) else value

    @field_validator("log_level", mode="after")
    @classmethod
    def _known_level(cls, value: str) -> str:
        if value.upper() not in LEVELS:
            raise ValueError(f"should be one of {', '.join(LEVELS)}")
        return value.upper()

    @model_validator(mode="after")
    def _calls_fit_into_a_tick(self) -> Self:
        if self.request_seconds > self.tick_seconds / 4:
            raise ValueError(
                f"{PREFIX}REQUEST_SECONDS {self.request_seconds:g} is above a quarter of {PREFIX}TICK_SECONDS "
                f"{self.tick_seconds:g}: a tick's calls would not end within half of it"
            )
        return self

    @property
    def watched(self) -> tuple[str, ...]:
        """The namespaces whose scalers are looked at."""
        return tuple(dict.fromkeys(self.namespaces)) or (self.namespace,)

    @property
    def calls_seconds(self) -> float:
        """Longest time of all calls of one tick together."""
        return self.tick_seconds * SHARE_OF_A_TICK


def read_settings() -> Settings:
    """Return what the environment says; a variable that is set to nothing counts as not set.

    Raises:
        UnusableSettings: a value is missing, wrong, or contradicts another.
    """
    try:
        return Settings(_env_ignore_empty=True)  # type: ignore[call-arg]  # the environment has the required ones
    except ValidationError as error:
        raise UnusableSettings("\n".join(_complaint(each["loc"], each["msg"]) for each in error.errors())) from error


def described() -> str:
    """Return a line about each variable: its name, what it says, its default."""
    fields = ((f"{PREFIX}{name.upper()}", field) for name, field in Settings.model_fields.items())
    width = max(len(variable) for variable in (f"{PREFIX}{name.upper()}" for name in Settings.model_fields))
    return "\n".join(
        f"  {variable:<{width}}  {field.description}{_default(field.default)}" for variable, field in fields
    )


def _default(value: object) -> str:
    return f" Default: {value}." if isinstance(value, str | int | float) else ""


def _complaint(place: tuple[int | str, ...], message: str) -> str:
    said = message.removeprefix("Value error, ")
    return f"{PREFIX}{str(place[0]).upper()}: {said[:1].lower()}{said[1:]}" if place else said
