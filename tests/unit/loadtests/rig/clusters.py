"""Objects as the API server gives them, and a cluster that stands for a real one."""

from collections.abc import Mapping, Sequence
from typing import Any

Object = dict[str, Any]


def deployment(name: str = "apps-consumer-stock", *, replicas: int = 1, ready: int | None = None) -> Object:
    ready = replicas if ready is None else ready
    return {
        "metadata": {"name": name, "generation": 4},
        "spec": {"replicas": replicas, "template": {"spec": {"containers": [{"env": []}]}}},
        "status": {
            "observedGeneration": 4,
            "replicas": replicas,
            "updatedReplicas": replicas,
            **({"readyReplicas": ready} if ready else {}),
        },
    }


def slow(found: Object, delay: str) -> Object:
    variable = {"name": "DOORBUSTER_FAULTS__DELAY_PER_RECORD", "value": delay}
    found["spec"]["template"]["spec"]["containers"][0]["env"].append(variable)
    return found


def scaler(name: str = "stock", *, paused: bool = False, decisions: Sequence[Mapping[str, Any]] = ()) -> Object:
    return {
        "metadata": {"name": name},
        "spec": {"paused": paused},
        "status": {"desiredReplicas": 2, "reason": "ScaleOut", "message": "why", "decisions": list(decisions)},
    }


def decision(at: str, *, before: int = 1, after: int = 2, reason: str = "ScaleOut") -> Object:
    return {"at": at, "before": before, "after": after, "reason": reason, "message": "why", "numbers": {}}
