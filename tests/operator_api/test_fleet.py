"""The fleet makes what the operator looks at: a Deployment's pods, ready, as many as it asks for."""

from collections.abc import Iterator

import pytest

from tests.integration.polling import seconds_until
from tests.operator_api.fleet import Fleet, working_fleet
from tests.operator_api.namespaces import Namespace

pytestmark = pytest.mark.operator_api


@pytest.fixture
def fleet(namespace: Namespace) -> Iterator[Fleet]:
    """The Deployments of the test's namespace."""
    with working_fleet(namespace.server.rest, namespace.name) as working:
        yield working


def ready(fleet: Fleet, name: str) -> int:
    return int(fleet.deployment(name).get("status", {}).get("readyReplicas", 0))


def test_a_deployment_gets_its_pods_and_loses_them(fleet: Fleet) -> None:
    fleet.deploy("consumer", replicas=2)
    seconds_until(lambda: ready(fleet, "consumer") == 2, within_seconds=10, what="two ready replicas")

    fleet.scale("consumer", 4)
    seconds_until(lambda: ready(fleet, "consumer") == 4, within_seconds=10, what="four ready replicas")

    fleet.scale("consumer", 1)
    seconds_until(lambda: ready(fleet, "consumer") == 1, within_seconds=10, what="one ready replica")
    assert len(fleet.pods("consumer")) == 1


def test_pods_that_are_held_back_are_not_ready(fleet: Fleet) -> None:
    fleet.starts_pods = False
    fleet.deploy("consumer", replicas=2)
    seconds_until(lambda: len(fleet.pods("consumer")) == 2, within_seconds=10, what="two pods")

    assert ready(fleet, "consumer") == 0
