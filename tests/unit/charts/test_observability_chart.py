"""What holds for the whole chart `observability`: its configuration, as Prometheus would use it, and who gets what."""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache

import pytest
import yaml

from doorbuster_cluster.builds.images import read_source
from doorbuster_cluster.builds.root_file_systems import RootFileSystem
from tests.metric_names import RULES, alert_rules
from tests.unit.charts.rendering import APPS, DATA, OBSERVABILITY, Manifest, pods, rendered

SCENARIOS = sorted(path.name.removesuffix("-values.yaml") for path in (OBSERVABILITY / "ci").glob("*-values.yaml"))
META = "__meta_kubernetes_pod_"
# What Kubernetes tells about a pod of the applications before anything is relabelled.
DISCOVERED = {
    "__address__": "10.244.0.7:8000",
    "__scheme__": "http",
    "__metrics_path__": "/metrics",
    "__meta_kubernetes_namespace": "doorbuster",
    f"{META}name": "apps-api-5d8c7-x2x4z",
    f"{META}ip": "10.244.0.7",
    f"{META}phase": "Running",
    f"{META}annotation_prometheus_io_scrape": "true",
    f"{META}annotation_prometheus_io_port": "9100",
    f"{META}label_app_kubernetes_io_component": "api",
    f"{META}label_app_kubernetes_io_instance": "apps",
    f"{META}label_pod_template_hash": "5d8c7",
}
ADDED = {"namespace": "doorbuster", "pod": "apps-api-5d8c7-x2x4z", "component": "api", "release": "apps"}


def manifest(kind: str, name: str, scenario: str = "local", settings: tuple[str, ...] = ()) -> Manifest:
    """The one manifest of this kind and name."""
    (found,) = (
        each
        for each in rendered(scenario, settings, chart=OBSERVABILITY)
        if (each["kind"], each["metadata"]["name"]) == (kind, name)
    )
    return found


@cache
def relabelings() -> tuple[Mapping[str, object], ...]:
    configuration = yaml.safe_load(manifest("ConfigMap", "observability-prometheus")["data"]["prometheus.yml"])
    (job,) = configuration["scrape_configs"]
    return tuple(job["relabel_configs"])


def target(**changes: str) -> dict[str, str] | None:
    """What Prometheus makes of a pod (relabel_config in its manual); None for one that it leaves alone."""
    labels = {**DISCOVERED, **{f"{META}{name}": value for name, value in changes.items()}}
    for rule in relabelings():
        sources = rule["source_labels"]
        assert isinstance(sources, list)
        match = re.fullmatch(str(rule.get("regex", "(.*)")), ";".join(labels.get(name, "") for name in sources))
        if rule.get("action") == "keep":
            if match is None:
                return None
        elif match is not None:
            replacement = re.sub(r"\$(\d)", r"\\\1", str(rule.get("replacement", "$1")))
            labels[str(rule["target_label"])] = match.expand(replacement)
    return {name: value for name, value in labels.items() if not name.startswith("__meta") and value}


def test_a_pod_is_scraped_at_the_port_of_its_annotation_and_gets_four_labels() -> None:
    assert target() == {
        "__address__": "10.244.0.7:9100", "__scheme__": "http", "__metrics_path__": "/metrics", **ADDED,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value"),
    [("annotation_prometheus_io_scrape", "false"), ("annotation_prometheus_io_scrape", ""), ("phase", "Succeeded")],
)
def test_a_pod_that_does_not_ask_for_it_or_has_ended_is_left_alone(name: str, value: str) -> None:
    assert target(**{name: value}) is None


def test_scheme_and_path_come_from_annotations() -> None:
    found = target(annotation_prometheus_io_scheme="https", annotation_prometheus_io_path="/numbers")

    assert found is not None
    assert (found["__scheme__"], found["__metrics_path__"]) == ("https", "/numbers")


def test_an_address_of_ipv6_is_put_in_brackets() -> None:
    found = target(ip="fd00:10:244::7")

    assert found is not None
    assert found["__address__"] == "[fd00:10:244::7]:9100"


def monitors(scenario: str = "local") -> Iterator[tuple[str, Manifest]]:
    for name, _, pod in pods(rendered(scenario, chart=OBSERVABILITY), hooks=True):
        yield name, pod


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_only_prometheus_has_a_token_and_only_for_pods_of_named_namespaces(scenario: str) -> None:
    with_token = {
        name.partition("-")[2]
        for name, pod in monitors(scenario)
        if any("projected" in volume for volume in pod["spec"]["volumes"])
    }
    kinds = {each["kind"] for each in rendered(scenario, chart=OBSERVABILITY)}

    assert with_token == ({"prometheus"} if scenario != "own" else set())
    assert not {"ClusterRole", "ClusterRoleBinding", "Secret"} & kinds


def test_prometheus_may_read_what_the_applications_let_it_read() -> None:
    labels = dict(monitors())["observability-prometheus"]["metadata"]["labels"]
    policies = [each for each in rendered("local", chart=APPS) if each["kind"] == "NetworkPolicy"]
    peers = [peer for policy in policies for rule in policy["spec"]["ingress"] for peer in rule["from"]]

    assert {"podSelector": {"matchLabels": {"doorbuster.dev/client-metrics": "true"}}} in peers
    assert labels["doorbuster.dev/client-metrics"] == "true"


def test_every_annotated_pod_of_ours_has_its_metrics_on_a_port_that_prometheus_may_reach() -> None:
    policy = manifest("NetworkPolicy", "observability-prometheus")["spec"]
    reached = {rule_port["port"] for rule in policy["egress"] for rule_port in rule["ports"]}
    found = [*pods(rendered("ha", chart=DATA)), *pods(rendered("local", chart=APPS))]
    told = {pod["metadata"].get("annotations", {}).get("prometheus.io/port") for _, _, pod in found}

    assert {int(port) for port in told if port} <= reached


@pytest.mark.parametrize("name", ["prometheus", "alertmanager"])
def test_images_that_are_built_here_have_the_account_and_the_program_of_the_public_ones(name: str) -> None:
    pod = dict(monitors())[f"observability-{name}"]["spec"]
    dockerfile = (read_source(name).folder / "Dockerfile").read_text()
    (_, entrypoint), *more = re.findall(r"^(ENTRYPOINT) (.*)$", dockerfile, re.MULTILINE)

    assert f"USER {pod['securityContext']['runAsUser']}:" in dockerfile
    assert not more
    assert name in json.loads(entrypoint)[0]
    assert isinstance(read_source(name).root, RootFileSystem)


def test_a_changed_rule_or_configuration_replaces_the_pod() -> None:
    def checksums(*settings: str) -> tuple[str, str]:
        pod = manifest("Deployment", "observability-prometheus", settings=settings)["spec"]["template"]
        annotations = pod["metadata"]["annotations"]
        return annotations["checksum/configuration"], annotations["checksum/rules"]

    plain, slower, elsewhere = (
        checksums(), checksums("scrape.intervalSeconds=10"), checksums("runbooks.baseUrl=https://git.example"),
    )  # fmt: skip
    assert (slower[0] != plain[0], slower[1] != plain[1]) == (True, False)
    assert (elsewhere[0] != plain[0], elsewhere[1] != plain[1]) == (False, True)


def test_every_rule_leads_to_a_runbook_whose_address_can_be_completed() -> None:
    base = "https://git.example/blob/main"
    files = manifest("ConfigMap", "observability-rules", settings=(f"runbooks.baseUrl={base}",))["data"]
    rules = [rule for text in files.values() for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]
    alerts = [rule for rule in rules if "alert" in rule]

    assert len(alerts) >= 15
    for alert in alerts:
        assert re.fullmatch(rf"{base}/runbooks/[a-z]+/{alert['alert']}\.md", alert["annotations"]["runbook_url"])


def test_a_critical_alert_silences_only_the_warning_about_the_same_thing() -> None:
    configuration = yaml.safe_load(manifest("ConfigMap", "observability-alertmanager")["data"]["alertmanager.yml"])
    (rule,) = configuration["inhibit_rules"]
    lists = [names for each in alert_rules() for names in re.findall(r"\bby \(([^)]*)\)", each["expr"])]
    kept = {name for names in lists for name in re.split(r",\s*", names)}

    # `le` ends in the quantile; `component` comes from `absent`.
    assert {"subject", "component"} | kept - {"le"} == set(rule["equal"])


def test_every_file_of_rules_can_be_left_out() -> None:
    schema = json.loads((OBSERVABILITY / "values.schema.json").read_text())["properties"]["rules"]
    left = manifest("ConfigMap", "observability-rules", settings=("rules.exclude={operator,monitoring}",))["data"]
    names = sorted(path.stem for path in RULES.glob("*.yaml"))

    assert schema["properties"]["exclude"]["items"]["enum"] == names
    assert sorted(left) == [f"{name}.yaml" for name in names if name not in {"operator", "monitoring"}]


def test_a_team_with_its_own_prometheus_gets_dashboards_and_nothing_that_runs() -> None:
    assert {each["kind"] for each in rendered("own", chart=OBSERVABILITY)} <= {"ConfigMap"}


def test_names_follow_the_override_and_fit() -> None:
    names = [each["metadata"]["name"] for each in rendered("overrides", chart=OBSERVABILITY)]
    longest = rendered("local", (f"fullnameOverride={'n' * 24}",), chart=OBSERVABILITY)
    places = [(each["kind"], each["metadata"]["name"]) for each in longest]

    assert names
    assert all(name.startswith("watch-") for name in names)
    assert len(set(places)) == len(places)


def test_the_public_images_are_the_default_and_a_mirror_replaces_both() -> None:
    def images(scenario: str) -> set[str]:
        return {container["image"] for _, pod in monitors(scenario) for container in pod["spec"]["containers"]}

    assert images("local") == {"docker.io/prom/prometheus:v2.53.3", "docker.io/prom/alertmanager:v0.28.1"}
    assert all(image.startswith("mirror.example/prom/") for image in images("overrides"))
