"""A Lease says which of several operators acts: taken and renewed by compare-and-set, given back at the end.

Nobody's clock is compared with ours: a Lease has expired when we have seen it unchanged for as long as it lasts.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime

import structlog

from doorbuster_operator.adapters.kubernetes_api import (
    ClusterApi,
    Document,
    ObjectChanged,
    ObjectMissing,
    mapping_at,
    object_path,
)
from doorbuster_operator.ports import ClusterUnavailable, Json
from doorbuster_operator.telemetry import OPERATOR_ERRORS

PREFIX = "/apis/coordination.k8s.io/v1"
DURATION_SECONDS = 15

log = structlog.get_logger()


class KubernetesLease:
    """The Lease, from the view of one operator. To be asked by one thread at a time."""

    def __init__(
        self,
        api: ClusterApi,
        *,
        namespace: str,
        name: str,
        identity: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Hold nothing yet.

        Args:
            api: the way to the API server.
            namespace: where the Lease is.
            name: of the Lease.
            identity: of this process; another one has another, also in the same pod.
            clock: seconds that only grow.
        """
        self._api = api
        self._list = object_path(PREFIX, namespace, "leases")
        self._path = object_path(PREFIX, namespace, "leases", name)
        self._name = name
        self._identity = identity
        self._clock = clock
        self._ours: Document | None = None
        self._seen: tuple[Json, float] | None = None

    def held(self) -> bool:
        """Renew or take the Lease if it is free; say whether it is ours. An unknown answer is False."""
        try:
            return self._renewed() or self._taken()
        except ObjectChanged:
            # Somebody was faster.
            return False
        except ClusterUnavailable as problem:
            OPERATOR_ERRORS.labels("lease").inc()
            log.warning("lease_not_known", problem=str(problem))
            return False

    def release(self) -> None:
        """Give the Lease back if it is ours; best effort, never raises."""
        ours, self._ours = self._ours, None
        if ours is None:
            return
        try:
            self._written(ours, holderIdentity="", renewTime=_now())
        except ClusterUnavailable as problem:
            log.warning("lease_not_released", problem=str(problem))

    def _renewed(self) -> bool:
        """Renew the Lease as we left it; False when it isn't ours, or isn't as we left it."""
        # Forgotten first: after an error it isn't known which version there is.
        ours, self._ours = self._ours, None
        if ours is None:
            return False
        try:
            self._ours = self._written(ours, renewTime=_now())
        except (ObjectChanged, ObjectMissing):
            return False
        return True

    def _taken(self) -> bool:
        """Take the Lease if there is none, nobody holds it, it expired, or it is ours by an answer that was lost."""
        found = self._read()
        if found is None:
            self._ours = self._created()
            return True
        spec = mapping_at(found, "spec")
        holder = spec.get("holderIdentity") or ""
        if holder not in {self._identity, ""} and not self._has_expired(found):
            return False
        now, transitions = _now(), spec.get("leaseTransitions")
        taken: Document = {
            "acquireTime": now,
            "leaseTransitions": transitions + 1 if isinstance(transitions, int) else 1,
        }
        self._ours = self._written(
            found,
            **({} if holder == self._identity else taken),
            holderIdentity=self._identity,
            leaseDurationSeconds=DURATION_SECONDS,
            renewTime=now,
        )
        return True

    def _has_expired(self, found: Document) -> bool:
        version, now = mapping_at(found, "metadata").get("resourceVersion"), self._clock()
        if self._seen is None or self._seen[0] != version:
            self._seen = version, now
        lasts = mapping_at(found, "spec").get("leaseDurationSeconds")
        return now - self._seen[1] >= (lasts if isinstance(lasts, int) else DURATION_SECONDS)

    def _read(self) -> Document | None:
        try:
            return self._api.read(self._path)
        except ObjectMissing:
            return None

    def _created(self) -> Document:
        now = _now()
        return self._api.create(
            self._list,
            {
                "metadata": {"name": self._name},
                "spec": {
                    "holderIdentity": self._identity,
                    "leaseDurationSeconds": DURATION_SECONDS,
                    "acquireTime": now,
                    "renewTime": now,
                    "leaseTransitions": 0,
                },
            },
        )

    def _written(self, lease: Document, **fields: Json) -> Document:
        """Write fields of the Lease; its resourceVersion makes the API server refuse if it was changed since."""
        return self._api.replace(self._path, {**lease, "spec": {**mapping_at(lease, "spec"), **fields}})


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
