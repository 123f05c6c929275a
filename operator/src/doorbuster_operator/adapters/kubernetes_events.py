"""Events for `kubectl describe`: the same one again is counted on, and no object gets more than a few a minute."""

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

import structlog

from doorbuster_operator.adapters.kubernetes_api import FIELD_MANAGER, ClusterApi, Document, ObjectMissing, object_path
from doorbuster_operator.ports import ClusterUnavailable
from doorbuster_operator.telemetry import OPERATOR_ERRORS

CORE = "/api/v1"
# The API server keeps an Event for an hour.
REMEMBERED = 256
BURST = 10
SECONDS_PER_EVENT = 6.0
# What the newer kind of Event allows; longer texts are of no use in a table either.
MOST_CHARACTERS = 1024

log = structlog.get_logger()

Key = TypeVar("Key")
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Posted:
    name: str
    count: int


@dataclass(slots=True, kw_only=True)
class _Allowance:
    """How many Events an object may get now; one more every `SECONDS_PER_EVENT`, up to `BURST`."""

    at: float
    events: float = BURST

    def take(self, now: float) -> bool:
        self.events = min(BURST, self.events + (now - self.at) / SECONDS_PER_EVENT)
        self.at = now
        if self.events < 1:
            return False
        self.events -= 1
        return True


class KubernetesEvents:
    """Events in one namespace. May be posted from several threads."""

    def __init__(self, api: ClusterApi, *, namespace: str, clock: Callable[[], float] = time.monotonic) -> None:
        """Take the way to the API server.

        Args:
            api: the way.
            namespace: where the Events go.
            clock: seconds that only grow.
        """
        self._api = api
        self._namespace = namespace
        self._clock = clock
        self._posted: OrderedDict[tuple[str, str, str], _Posted] = OrderedDict()
        self._allowances: OrderedDict[str, _Allowance] = OrderedDict()

    def post(self, about: Mapping[str, str], *, reason: str, message: str, warning: bool) -> None:
        """Post an Event, or raise the count of the same one; what can't be posted is logged and dropped.

        Args:
            about: the reference of the object.
            reason: in a word.
            message: in a sentence.
            warning: whether a person should look.
        """
        text = message[:MOST_CHARACTERS]
        if not self._allowance(about["uid"]).take(self._clock()):
            log.warning("event_dropped", about=about["name"], reason=reason, message=text)
            return
        key = (about["uid"], reason, text)
        try:
            posted = self._again(self._posted.get(key)) or self._first(
                about, {"type": "Warning" if warning else "Normal", "reason": reason, "message": text}
            )
        except ClusterUnavailable as problem:
            OPERATOR_ERRORS.labels("post_event").inc()
            log.warning("event_not_posted", about=about["name"], reason=reason, message=text, problem=str(problem))
            return
        _remember(self._posted, key, posted)

    def _allowance(self, uid: str) -> _Allowance:
        allowance = self._allowances.get(uid) or _Allowance(at=self._clock())
        _remember(self._allowances, uid, allowance)
        return allowance

    def _again(self, posted: _Posted | None) -> _Posted | None:
        """Raise the count of an Event that was posted before; None when there is none any more."""
        if posted is None:
            return None
        count = posted.count + 1
        try:
            self._api.patch(
                object_path(CORE, self._namespace, "events", posted.name), {"count": count, "lastTimestamp": _now()}
            )
        except ObjectMissing:
            return None
        return _Posted(name=posted.name, count=count)

    def _first(self, about: Mapping[str, str], said: Document) -> _Posted:
        # As other controllers name them.
        name, now = f"{about['name']}.{secrets.token_hex(8)}", _now()
        event: Document = {
            "metadata": {"name": name, "namespace": self._namespace},
            "involvedObject": about,
            **said,
            "count": 1,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "source": {"component": FIELD_MANAGER},
            "reportingComponent": FIELD_MANAGER,
        }
        self._api.create(object_path(CORE, self._namespace, "events"), event)
        return _Posted(name=name, count=1)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _remember(kept: OrderedDict[Key, Value], key: Key, value: Value) -> None:
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > REMEMBERED:
        kept.popitem(last=False)
