"""The API server of this tier is a real one: it knows who asks, what they may, and what a pod must not be."""

import pytest
from kubernetes import client
from kubernetes.client.exceptions import ApiException

from tests.operator_api.namespaces import Namespace

pytestmark = pytest.mark.operator_api

POD = """
apiVersion: v1
kind: Pod
metadata: {name: plain}
spec: {containers: [{name: one, image: example.org/one:1}]}
"""


def test_the_administrator_may_do_everything(namespace: Namespace) -> None:
    assert namespace.kubectl("auth", "can-i", "*", "*").strip() == "yes"


def test_a_service_account_may_do_nothing_that_nobody_gave_it(namespace: Namespace) -> None:
    with namespace.as_service_account("somebody") as api, pytest.raises(ApiException) as refusal:
        client.CoreV1Api(api).list_namespaced_pod(namespace.name)

    assert refusal.value.status == 403
    assert f"system:serviceaccount:{namespace.name}:somebody" in str(refusal.value.body)


def test_a_service_account_may_do_what_a_role_gives_it(namespace: Namespace) -> None:
    namespace.kubectl("create", "role", "reader", "--verb=list", "--resource=pods")
    namespace.kubectl("create", "rolebinding", "reader", "--role=reader", f"--serviceaccount={namespace.name}:somebody")

    with namespace.as_service_account("somebody") as api:
        assert client.CoreV1Api(api).list_namespaced_pod(namespace.name).items == []


def test_a_pod_that_pod_security_forbids_is_refused(namespace: Namespace) -> None:
    answer = namespace.try_kubectl("create", "--filename=-", stdin=POD)

    assert not answer.ok
    assert 'violates PodSecurity "restricted:latest"' in answer.stderr
