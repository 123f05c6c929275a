"""What holds for the chart `apps`, alone and beside the chart `data`, and needs arithmetic or a look at all of it."""

from collections.abc import Iterator, Mapping
from datetime import timedelta

import pytest
import yaml

from doorbuster.bootstrap import jobs
from doorbuster.bootstrap.api import READERS
from doorbuster.bootstrap.consumers import CONNECTIONS as CONNECTIONS_OF_A_CONSUMER
from doorbuster.bootstrap.consumers import CONSUMERS as GROUPS
from doorbuster.contracts.topics import OWN_PARTITIONS, Group, Topic
from doorbuster.infra.kafka.kafka_record_source import consumer_configuration
from doorbuster.settings import KafkaSettings, MySqlSettings, Settings
from doorbuster_cluster.host.doctor import ENOUGH_MEMORY_BYTES
from doorbuster_cluster.settings import REPOSITORY, Size
from doorbuster_operator.model.spec import ScalerSpec
from tests.unit.charts.rendering import APPS, DATA, OBSERVABILITY, OPERATOR, Manifest, cpu_of_pod, pods, rendered

# P8: the control plane takes 850m of two cores, the whole platform fits into the rest.
MOST_CPU = 1000
# The demonstration scales the stock group out to so many.
MOST_REPLICAS = {"apps-consumer-stock": 6}
CONSUMERS = {"stock", "coupon", "order-flow", "payment", "post-process", "external-data", "coupon-issuer"}
# etcd 100 MiB, two CoreDNS 70 each, Traefik 128, kube-router 64.
MEMORY_BESIDE = 432
# R18: four for writes and four for reads in an API pod, two in a consumer. Those for catalogue reads count as well.
CONNECTIONS = {
    "apps-api": MySqlSettings().pool_size + 2 * READERS,
    "apps-relay": jobs.RELAY_WRITERS + jobs.RELAY_READERS,
    "apps-watch": jobs.WATCH_WRITERS + jobs.WATCH_READERS,
}


def deployments(scenario: str = "local") -> Iterator[Manifest]:
    yield from (manifest for manifest in rendered(scenario, chart=APPS) if manifest["kind"] == "Deployment")


def scalers(scenario: str = "local") -> dict[str, Manifest]:
    """The spec of each ConsumerScaler by its name."""
    manifests = rendered(scenario, chart=APPS)
    return {found["metadata"]["name"]: found["spec"] for found in manifests if found["kind"] == "ConsumerScaler"}


def beside() -> Iterator[tuple[str, int, Manifest]]:
    """The pods of what watches and scales; none is replaced while it still runs."""
    for chart in (OBSERVABILITY, OPERATOR):
        yield from pods(rendered("local", chart=chart))


def pods_at_most(deployment: Manifest, scaled_out: Mapping[str, int]) -> int:
    """How many pods a Deployment has at most: when it is scaled out, and while it is replaced."""
    spec = deployment["spec"]
    replicas = scaled_out.get(deployment["metadata"]["name"], spec.get("replicas", 1))
    return int(replicas) + int(spec["strategy"].get("rollingUpdate", {}).get("maxSurge", 0))


def cpu_of_addons() -> int:
    """What the add-ons of the local cluster ask for."""
    files = (REPOSITORY / "cluster" / "addons").glob("*.yaml")
    manifests = [found for file in files for found in yaml.safe_load_all(file.read_text()) if found]
    return sum(
        cpu_of_pod(found["spec"]["template"]) for found in manifests if found["kind"] in {"Deployment", "DaemonSet"}
    )


def test_the_whole_platform_fits_beside_the_control_plane() -> None:
    data = sum(number * cpu_of_pod(pod) for _, number, pod in pods(rendered("ha")))
    apps = sum(pods_at_most(found, MOST_REPLICAS) * cpu_of_pod(found["spec"]["template"]) for found in deployments())
    manifests = rendered("local", chart=APPS)
    prepare = sum(cpu_of_pod(found["spec"]["template"]) for found in manifests if found["kind"] == "Job")
    watch = sum(number * cpu_of_pod(pod) for _, number, pod in beside())

    assert min(prepare, watch) > 0
    assert data + watch + apps + prepare + cpu_of_addons() <= MOST_CPU


def memory_of(containers: list[Manifest]) -> int:
    """The memory requests of containers in MiB."""
    requests = [container["resources"]["requests"]["memory"] for container in containers]
    return sum(int(request[:-2]) * {"Mi": 1, "Gi": 1024}[request[-2:]] for request in requests)


@pytest.mark.parametrize("size", list(Size))
def test_the_whole_platform_fits_into_the_memory_that_doctor_asks_for(size: Size) -> None:
    scenario = {Size.HA: "local", Size.SMALL: "small"}[size]
    found = [*pods(rendered(size.value)), *beside(), *pods(rendered(scenario, chart=APPS))]
    asked = sum(number * memory_of(pod["spec"]["containers"]) for _, number, pod in found)

    assert asked + MEMORY_BESIDE <= ENOUGH_MEMORY_BYTES[size] // 2**20


def test_pods_of_the_applications_never_ask_mysql_for_more_connections_than_it_has() -> None:
    of_mysql = [found for found in deployments() if "mysql" in {volume["name"] for volume in volumes(found)}]
    scaled_out = {spec["targetRef"]["name"]: spec["maxReplicas"] for spec in scalers().values()}
    asked = sum(
        pods_at_most(found, scaled_out) * CONNECTIONS.get(found["metadata"]["name"], CONNECTIONS_OF_A_CONSUMER)
        for found in of_mysql
    )
    accepted = yaml.safe_load((DATA / "values.yaml").read_text())["mysql"]["maxConnections"]

    assert len(of_mysql) == 11
    assert max(scaled_out.values()) == 12
    assert asked <= accepted * 2 / 3, "members, probes and people need some, too"


@pytest.mark.parametrize("scenario", ["local", "small", "production", "managed"])
def test_each_consumer_has_a_scaler_for_what_it_really_reads_and_how(scenario: str) -> None:
    found = scalers(scenario)
    deployed = {deployment["metadata"]["name"] for deployment in deployments(scenario)}

    assert found.keys() == {name.value for name in GROUPS}
    for name, consumer in GROUPS.items():
        spec = found[name.value]
        member = consumer_configuration(KafkaSettings(), consumer.group)
        assert (spec["consumerGroup"], spec["topics"]) == (consumer.group, list(consumer.topics))
        assert spec["assignor"] == member["partition.assignment.strategy"]
        assert spec["targetRef"]["name"].endswith(f"-consumer-{name.value}")
        assert spec["targetRef"]["name"] in deployed


def test_the_operator_reads_what_the_chart_writes() -> None:
    chosen = ("autoscaling.capacityHint=33", "autoscaling.scaleDown.window=1m30s", "autoscaling.dryRun=true")
    for manifest in rendered("local", chosen, chart=APPS):
        if manifest["kind"] == "ConsumerScaler":
            spec = ScalerSpec.model_validate(manifest["spec"])
            assert (spec.capacity_hint, spec.scale_down.window, spec.dry_run) == (33, 90.0, True)
            assert spec.max_replicas == (10 if spec.consumer_group == Group.COUPON_ISSUER else 12)
            assert (spec.slo.oldest_record_age, spec.commit_interval) == (10.0, 1.0)


@pytest.mark.parametrize(("scenario", "partitions"), [("local", 12), ("production", 3)])
def test_a_scaler_never_asks_for_more_replicas_than_there_are_partitions(scenario: str, partitions: int) -> None:
    found = {name: spec["maxReplicas"] for name, spec in scalers(scenario).items()}

    assert found.pop("coupon-issuer") == OWN_PARTITIONS[Topic.COUPON_ISSUED]
    assert set(found.values()) == {partitions}


def test_without_autoscaling_only_the_scalers_are_missing() -> None:
    without = rendered("local", ("autoscaling.enabled=false",), chart=APPS)

    assert list(without) == [found for found in rendered("local", chart=APPS) if found["kind"] != "ConsumerScaler"]


def test_a_fault_delay_reaches_the_settings_of_its_consumer_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = ("faults.enabled=true", "consumers.stock.faults.delayPerRecord=120ms")
    variable = "DOORBUSTER_FAULTS__DELAY_PER_RECORD"
    told = {
        name: entry["value"]
        for name, _, pod in pods(rendered("local", chosen, chart=APPS), hooks=True)
        for entry in pod["spec"]["containers"][0]["env"]
        if entry["name"] == variable
    }

    assert told.keys() == {"apps-consumer-stock"}
    monkeypatch.setenv(variable, told["apps-consumer-stock"])
    assert Settings().faults.delay_per_record == timedelta(milliseconds=120)


def volumes(deployment: Manifest) -> list[Manifest]:
    found: list[Manifest] = deployment["spec"]["template"]["spec"]["volumes"]
    return found


@pytest.mark.parametrize("scenario", ["local", "small", "production", "managed"])
def test_consumers_are_seven_and_their_replicas_are_never_rendered(scenario: str) -> None:
    consumers = {
        found["metadata"]["name"].partition("-consumer-")[2]: found["spec"]
        for found in deployments(scenario)
        if "-consumer-" in found["metadata"]["name"]
    }

    assert consumers.keys() == CONSUMERS
    assert not any("replicas" in spec for spec in consumers.values())
    assert len(CONSUMERS) == len(Group)


@pytest.mark.parametrize("scenario", ["local", "small", "production", "managed"])
def test_every_process_reads_the_variables_that_it_is_given(scenario: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for _, _, pod in pods(rendered(scenario, chart=APPS), hooks=True):
        container = pod["spec"]["containers"][0]
        told = {variable["name"]: variable["value"] for variable in container["env"]}
        with monkeypatch.context() as patch:
            for name, value in told.items():
                patch.setenv(name, value)
            settings = Settings()
        for name, value in told.items():
            if name.startswith("DOORBUSTER_"):
                assert setting(settings, name) is not None, f"{container['name']} is told {name}={value}"


def setting(settings: Settings, variable: str) -> object:
    """The value that a variable has become; raises AttributeError when no setting reads it."""
    found: object = settings
    for word in variable.removeprefix("DOORBUSTER_").lower().split("__"):
        found = getattr(found, word)
    return found


def test_clients_of_a_store_say_so_and_nobody_else() -> None:
    for name, _, pod in pods(rendered("local", chart=APPS), hooks=True):
        labels = {
            key.rpartition("-")[2] for key in pod["metadata"]["labels"] if key.startswith("doorbuster.dev/client-")
        }
        told = {variable["name"] for variable in pod["spec"]["containers"][0]["env"]}
        stores = {name.split("_")[1].lower() for name in told if "__" in name} & {"mysql", "redis", "kafka"}
        assert labels == stores, name


def test_the_size_is_that_of_the_data_plane() -> None:
    def hosts(scenario: str, variable: str) -> list[str]:
        environment = next(deployments(scenario))["spec"]["template"]["spec"]["containers"][0]["env"]
        return next(entry["value"] for entry in environment if entry["name"] == variable).split(",")  # type: ignore[no-any-return]

    for scenario, members in (("local", 3), ("small", 1)):
        for variable in ("DOORBUSTER_MYSQL__HOSTS", "DOORBUSTER_REDIS__SENTINELS", "DOORBUSTER_KAFKA__SERVERS"):
            assert len(hosts(scenario, variable)) == members


def test_names_follow_the_override_and_fit() -> None:
    # A scaler is called after its consumer alone: that is what people ask for.
    manifests = [found for found in rendered("managed", chart=APPS) if found["kind"] != "ConsumerScaler"]
    names = [manifest["metadata"]["name"] for manifest in manifests]
    longest = rendered("local", (f"fullnameOverride={'n' * 24}",), chart=APPS)

    assert all(name.startswith("shop-") for name in names)
    # A name that is cut would meet another one.
    assert len({(found["kind"], found["metadata"]["name"]) for found in longest}) == len(longest)


def test_the_public_image_is_the_default_and_a_mirror_replaces_it() -> None:
    def images(scenario: str) -> set[str]:
        found = [pod["spec"]["containers"] for _, _, pod in pods(rendered(scenario, chart=APPS), hooks=True)]
        return {container["image"] for containers in found for container in containers}

    version = yaml.safe_load((APPS / "Chart.yaml").read_text())["appVersion"]
    assert images("local") == {f"docker.io/doorbuster/apps:{version}"}
    assert all(image.startswith("mirror.example/doorbuster/apps@sha256:") for image in images("managed"))


def test_what_comes_before_the_release_uses_nothing_of_it() -> None:
    manifests = rendered("local", chart=APPS)
    of_release = {
        found["metadata"]["name"]
        for found in manifests
        if found["kind"] in {"ConfigMap", "Secret", "ServiceAccount"}
        and "helm.sh/hook" not in found["metadata"].get("annotations", {})
    }
    job = next(found for found in manifests if found["kind"] == "Job")

    assert of_release
    assert not {name for name in of_release if name in yaml.safe_dump(job["spec"])}
