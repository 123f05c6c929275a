"""What helm renders is what the API server takes: strictly validated, with pod security, without being stored (P15)."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from kubernetes import client

from tests.operator_api.api_server import Answer, ApiServer
from tests.operator_api.namespaces import made_namespace
from tests.operator_api.operator_release import install_kind
from tests.operator_api.stage import TARGET
from tests.unit.charts.rendering import APPS, CHARTS, NAMESPACE, Manifest, helm, packed_dependencies, rendered

pytestmark = pytest.mark.operator_api

OBSERVABILITY = CHARTS / "observability"
INSTALLED = sorted(found.parent for found in CHARTS.glob("*/Chart.yaml") if "type: library" not in found.read_text())
SCENARIOS = [
    (chart, values.name.removesuffix("-values.yaml"))
    for chart in INSTALLED
    for values in sorted((chart / "ci").glob("*-values.yaml"))
]
# Kinds that the charts make only when they are asked to: a rendering without them would test nothing.
OPTIONAL_KINDS = {"Ingress", "HTTPRoute", "ConsumerScaler", "CustomResourceDefinition"}

each_scenario = pytest.mark.parametrize(
    ("chart", "scenario"), SCENARIOS, ids=[f"{chart.name}-{scenario}" for chart, scenario in SCENARIOS]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """An API server that knows every kind that our charts use, with the namespaces that they name.

    Attributes:
        kubeconfig: puts what names no namespace into that of `make up`.
    """

    server: ApiServer
    kubeconfig: Path

    def apply(self, manifests: Sequence[Manifest], *, dry_run: bool = True) -> Answer:
        """How the server answers; by server-side apply, as helm 4 does: it also finds an entry that is there twice."""
        flags = ("--server-side", f"--dry-run={'server' if dry_run else 'none'}", "--validate=strict", "--filename=-")
        text = yaml.safe_dump_all(manifests)
        return self.server.try_kubectl("apply", *flags, stdin=text, kubeconfig=self.kubeconfig)


@pytest.fixture(scope="module")
def shop(foreign_kinds: ApiServer, admin: client.ApiClient) -> Iterator[Shop]:
    """An API server for a dry run of any of our charts."""
    install_kind(foreign_kinds)
    with ExitStack() as stack:
        for name in {NAMESPACE, *named_namespaces()}:
            stack.enter_context(made_namespace(foreign_kinds, admin, name))
        yield Shop(server=foreign_kinds, kubeconfig=foreign_kinds.kubeconfig_in(NAMESPACE))


def named_namespaces() -> Iterator[str]:
    """The namespaces that objects are rendered for, other than the release's."""
    for chart, scenario in SCENARIOS:
        for manifest in rendered(scenario, chart=chart):
            if "namespace" in manifest["metadata"]:
                yield manifest["metadata"]["namespace"]


def with_the_prometheus_operator() -> list[Manifest]:
    """The chart `observability` in a cluster that has a Prometheus operator."""
    packed_dependencies(OBSERVABILITY)
    answer = helm(
        "template", OBSERVABILITY.name, OBSERVABILITY, "--namespace", NAMESPACE,
        "--set", "serviceMonitors.enabled=true", "--api-versions", "monitoring.coreos.com/v1",
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    return [manifest for manifest in yaml.safe_load_all(answer.stdout) if manifest]


def some_deployment() -> Manifest:
    """A copy of a consumer's Deployment, which is right."""
    found = (each for each in rendered("local", chart=APPS) if each["kind"] == "Deployment")
    return deepcopy(next(each for each in found if each["metadata"]["name"] == TARGET))


@each_scenario
def test_the_api_server_takes_every_object_without_a_warning(shop: Shop, chart: Path, scenario: str) -> None:
    manifests = rendered(scenario, chart=chart)

    answer = shop.apply(manifests)

    assert answer.stderr == ""
    assert answer.ok
    assert len(answer.stdout.splitlines()) == len(manifests)


def test_the_api_server_takes_what_a_prometheus_operator_is_told(shop: Shop) -> None:
    manifests = with_the_prometheus_operator()

    answer = shop.apply(manifests)

    assert (answer.ok, answer.stderr) == (True, "")
    assert {manifest["kind"] for manifest in manifests} >= {"PodMonitor", "PrometheusRule"}


def test_an_upgrade_leaves_the_number_of_replicas_to_the_operator(shop: Shop) -> None:
    # P9: what helm renders doesn't mention it, and what it applies doesn't change it.
    deployment = some_deployment()
    path = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{TARGET}"
    assert shop.apply([deployment], dry_run=False).ok
    shop.server.rest.patch(f"{path}/scale?fieldManager=doorbuster-operator", {"spec": {"replicas": 4}})

    deployment["spec"]["template"]["metadata"]["annotations"]["changed"] = "true"
    answer = shop.apply([deployment], dry_run=False)

    assert (answer.ok, answer.stderr) == (True, "")
    assert shop.server.rest.get(path)["spec"]["replicas"] == 4


def test_a_misspelt_field_is_found(shop: Shop) -> None:
    deployment = some_deployment()
    deployment["spec"]["template"]["spec"]["enableServiceLink"] = False

    assert "spec.template.spec.enableServiceLink: field not declared in schema" in shop.apply([deployment]).stderr


def test_a_pod_of_a_deployment_that_pod_security_forbids_is_found(shop: Shop) -> None:
    deployment = some_deployment()
    del deployment["spec"]["template"]["spec"]["containers"][0]["securityContext"]

    assert "Warning: would violate PodSecurity" in shop.apply([deployment]).stderr


def test_a_variable_that_is_set_twice_is_found(shop: Shop) -> None:
    deployment = some_deployment()
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    container["env"] = [{"name": "TWICE", "value": "one"}, {"name": "TWICE", "value": "two"}]

    assert "TWICE" in shop.apply([deployment]).stderr


def test_a_scenario_of_some_chart_renders_each_optional_kind() -> None:
    kinds = {manifest["kind"] for chart, scenario in SCENARIOS for manifest in rendered(scenario, chart=chart)}

    assert OPTIONAL_KINDS - kinds == set()


def test_every_chart_is_checked() -> None:
    assert {chart for chart, _ in SCENARIOS} == set(INSTALLED)
