"""The operator's service account may do what it does, and nothing else."""

from collections.abc import Iterator

import pytest
from kubernetes import client
from kubernetes.client.exceptions import ApiException

from tests.operator_api.api_server import ApiServer
from tests.operator_api.namespaces import Namespace, made_namespace
from tests.operator_api.operator_release import install_rights

pytestmark = pytest.mark.operator_api

REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"


@pytest.fixture(scope="module")
def home(api_server: ApiServer, admin: client.ApiClient) -> Iterator[Namespace]:
    """A namespace with the rights of the operator's service account."""
    with made_namespace(api_server, admin) as made:
        assert install_rights(made) == "operator"
        yield made


def may(home: Namespace, verb: str, what: str, *, namespace: str) -> bool:
    """Whether the account may; `what` is `resource.group[/subresource]` or, with a name, `resource.group:name`."""
    resource, _, subresource = what.partition("/")
    resource, _, name = resource.partition(":")
    resource, _, group = resource.partition(".")
    attributes = {
        "namespace": namespace, "verb": verb, "group": group, "resource": resource, "subresource": subresource,
        "name": name,
    }  # fmt: skip
    user = f"system:serviceaccount:{home.name}:operator"
    answer = home.server.rest.post(REVIEWS, {"spec": {"user": user, "resourceAttributes": attributes}})
    return bool(answer["status"]["allowed"])


@pytest.mark.parametrize(
    ("verb", "what"),
    [
        ("list", "consumerscalers.doorbuster.dev"),
        ("watch", "consumerscalers.doorbuster.dev"),
        ("patch", "consumerscalers.doorbuster.dev/status"),
        ("get", "deployments.apps"),
        ("patch", "deployments.apps/scale"),
        ("list", "pods"),
        ("create", "events"),
        ("create", "leases.coordination.k8s.io"),
        ("update", "leases.coordination.k8s.io:operator"),
    ],
)
def test_it_may_do_its_work(home: Namespace, verb: str, what: str) -> None:
    assert may(home, verb, what, namespace=home.name)


@pytest.mark.parametrize(
    ("verb", "what"),
    [
        ("patch", "deployments.apps"),
        ("update", "deployments.apps"),
        ("delete", "deployments.apps"),
        ("create", "deployments.apps"),
        ("update", "deployments.apps/scale"),
        ("patch", "statefulsets.apps/scale"),
        ("patch", "consumerscalers.doorbuster.dev"),
        ("delete", "consumerscalers.doorbuster.dev"),
        ("update", "consumerscalers.doorbuster.dev/finalizers"),
        ("patch", "leases.coordination.k8s.io:operator"),
        ("update", "leases.coordination.k8s.io:somebody-elses"),
        ("delete", "leases.coordination.k8s.io:operator"),
        ("create", "pods"),
        ("delete", "pods"),
        ("create", "pods/exec"),
        ("get", "pods/log"),
        ("get", "secrets"),
        ("list", "configmaps"),
        ("create", "serviceaccounts/token"),
    ],
)
def test_it_may_not_do_more(home: Namespace, verb: str, what: str) -> None:
    assert not may(home, verb, what, namespace=home.name)


@pytest.mark.parametrize(
    ("verb", "what"),
    [
        ("list", "consumerscalers.doorbuster.dev"),
        ("patch", "deployments.apps/scale"),
        ("list", "pods"),
        ("create", "leases.coordination.k8s.io"),
        ("create", "events"),
    ],
)
@pytest.mark.parametrize("namespace", ["kube-system", ""], ids=["another", "all"])
def test_it_may_do_nothing_in_other_namespaces(home: Namespace, verb: str, what: str, namespace: str) -> None:
    assert not may(home, verb, what, namespace=namespace)


def test_its_token_is_no_more_than_the_account(home: Namespace) -> None:
    with home.as_service_account("operator") as api, pytest.raises(ApiException) as refusal:
        client.AppsV1Api(api).patch_namespaced_deployment("anything", home.name, {"spec": {"paused": True}})

    assert refusal.value.status == 403
