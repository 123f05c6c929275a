"""The size `small` beside the size `ha`: one member of each store, and the applications on them."""

import time
from collections.abc import Iterator

import pytest

from doorbuster_cluster.commands.session import Session
from doorbuster_cluster.runtime.releases import CHARTS
from doorbuster_cluster.runtime.secrets import ISSUER_SECRET, KEYS_BY_SECRET, issuer_key
from tests.e2e.conftest import STORES, Figures
from tests.e2e.kubernetes import Kubernetes, own_namespace
from tests.e2e.test_platform import CHART, from_values

NAMESPACE = "doorbuster-small"


def test_size_small_serves(session: Session, small: Kubernetes, figures: Figures) -> None:
    began = time.monotonic()
    session.tools.helm(
        "install", "data", CHART, *from_values(session, small.namespace), "--set", "size=small",
        "--wait", "--timeout", "4m", timeout_seconds=270,
    )  # fmt: skip
    figures.seconds("Size small: installed and ready", time.monotonic() - began)
    assert "Succeeded" in session.tools.helm(
        "test", "data", "--logs", "--namespace", small.namespace, timeout_seconds=180
    )
    assert len(small.list("pods", "app.kubernetes.io/component in (mysql,redis,kafka)")) == len(STORES)
    began = time.monotonic()
    # Without a name of its own at the edge: that belongs to the release of `make up`.
    session.tools.helm(
        "install", "apps", CHARTS / "apps", *from_values(session, small.namespace, "apps"), "--set", "size=small",
        "--set", "profile=test", "--set", "ingress.enabled=false", "--wait", "--timeout", "5m", timeout_seconds=330,
    )  # fmt: skip
    figures.seconds("Size small: applications installed and ready", time.monotonic() - began)
    assert "Succeeded" in session.tools.helm(
        "test", "apps", "--logs", "--namespace", small.namespace, timeout_seconds=180
    )


@pytest.fixture
def small(session: Session) -> Iterator[Kubernetes]:
    """A namespace of its own with the Secrets that the chart wants; gone afterwards with everything in it."""
    with own_namespace(session.tools, NAMESPACE) as small:
        contents = {name: {key: f"e2e-{key}" for key in keys} for name, keys in KEYS_BY_SECRET.items()}
        for name, content in {**contents, ISSUER_SECRET: issuer_key()}.items():
            literals = [f"--from-literal={key}={value}" for key, value in content.items()]
            session.tools.kubectl("create", "secret", "generic", name, "--namespace", NAMESPACE, *literals)
        yield small
