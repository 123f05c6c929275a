"""Whatever is uninstalled first, a namespace goes: nothing of the operator has to be there for that (P16)."""

import time
from collections.abc import Iterator

import pytest

from doorbuster_cluster.commands.session import Session
from doorbuster_cluster.runtime.releases import CHARTS
from tests.e2e.conftest import Figures
from tests.e2e.kubernetes import Kubernetes, Object, own_namespace
from tests.e2e.test_platform import from_values
from tests.e2e.witnesses import image_of
from tests.integration.polling import seconds_until

NAMESPACE = "doorbuster-leaving"
SCALER = "sleepers"
GONE_SECONDS = 30


@pytest.fixture
def leaving(session: Session) -> Iterator[Kubernetes]:
    """A namespace of its own; gone afterwards with everything in it."""
    with own_namespace(session.tools, NAMESPACE) as leaving:
        yield leaving


def test_a_namespace_goes_although_its_operator_went_first(
    session: Session, healthy: Kubernetes, leaving: Kubernetes, figures: Figures
) -> None:
    session.tools.helm(
        "install", "operator", CHARTS / "operator", *from_values(session, leaving.namespace, "operator"),
        "--set", "kind.install=false", "--wait", "--timeout", "3m", timeout_seconds=210,
    )  # fmt: skip
    leaving.apply(sleepers(image_of(healthy, "data-redis")), scaler())
    seconds_until(
        lambda: bool(leaving.get("consumerscaler", SCALER)["status"]["reason"]), within_seconds=60,
        what="the operator has looked at the scaler",
    )  # fmt: skip

    session.tools.helm("uninstall", "operator", "--namespace", leaving.namespace, "--wait", timeout_seconds=120)

    assert "finalizers" not in leaving.get("consumerscaler", SCALER)["metadata"]
    assert healthy.list("consumerscalers"), "the kind and all other scalers are still there"
    began = time.monotonic()
    session.tools.kubectl("delete", "namespace", leaving.namespace, "--wait", timeout_seconds=GONE_SECONDS)
    figures.seconds("Uninstall: a namespace without its operator is gone", time.monotonic() - began)


def scaler() -> Object:
    return {
        "apiVersion": "doorbuster.dev/v1alpha1",
        "kind": "ConsumerScaler",
        "metadata": {"name": SCALER},
        "spec": {
            "targetRef": {"kind": "Deployment", "name": SCALER},
            "consumerGroup": "nobody",
            "topics": ["nothing"],
            "maxReplicas": 3,
        },
    }


def sleepers(image: str) -> Object:
    labels = {"app.kubernetes.io/name": SCALER}
    container = {
        "name": "sleeper",
        "image": image,
        "command": ["sleep", "infinity"],
        "resources": {"requests": {"cpu": "5m", "memory": "16Mi"}},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    security = {"runAsNonRoot": True, "runAsUser": 999, "seccompProfile": {"type": "RuntimeDefault"}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": SCALER},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "terminationGracePeriodSeconds": 1,
                    "automountServiceAccountToken": False,
                    "securityContext": security,
                    "containers": [container],
                },
            },
        },
    }
