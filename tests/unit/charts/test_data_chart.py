"""What holds for the whole chart `data`, and needs arithmetic or a look at all of it."""

import pytest

from tests.unit.charts.rendering import DATA, Manifest, cpu_of_pod, pods, rendered

SCENARIOS = sorted(path.name.removesuffix("-values.yaml") for path in (DATA / "ci").glob("*-values.yaml"))
# P8: the control plane takes 850m of two cores, the whole platform fits into the rest.
MOST_CPU = 400
UNITS = {"Mi": 1, "Gi": 1024}


def memory_of(container: Manifest) -> int:
    """A container's memory request in MiB."""
    request = container["resources"]["requests"]["memory"]
    return int(request[:-2]) * UNITS[request[-2:]]


def test_the_highly_available_size_asks_for_little_cpu() -> None:
    asked = {name: number * cpu_of_pod(pod) for name, number, pod in pods(rendered("ha"))}

    assert asked == {"data-mysql": 150, "data-redis": 90, "data-kafka": 150}
    assert sum(asked.values()) <= MOST_CPU


@pytest.mark.parametrize(("scenario", "most"), [("ha", 9 * 1024), ("small", 3 * 1024)])
def test_the_stores_leave_most_of_a_machines_memory(scenario: str, most: int) -> None:
    asked = sum(
        number * sum(memory_of(container) for container in pod["spec"]["containers"])
        for _, number, pod in pods(rendered(scenario))
    )

    assert asked <= most


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_memory_is_reserved_as_it_is_limited(scenario: str) -> None:
    for name, _, pod in pods(rendered(scenario), hooks=True):
        for container in pod["spec"]["containers"]:
            limits = container["resources"]["limits"]
            assert limits["memory"] == container["resources"]["requests"]["memory"], name
            assert "cpu" not in limits, name


def test_names_follow_the_override_and_fit_into_the_labels_of_pods() -> None:
    names = [manifest["metadata"]["name"] for manifest in rendered("overrides")]

    assert all(name.startswith("store-") for name in names)
    long = rendered("ha", (f"fullnameOverride={'n' * 40}",))
    assert all(len(manifest["metadata"]["name"]) <= 52 for manifest in long if manifest["kind"] == "StatefulSet")


def test_the_public_images_are_the_default_and_a_mirror_replaces_all_of_them() -> None:
    def registries(scenario: str) -> set[str]:
        templates = [pod["spec"]["containers"] for _, _, pod in pods(rendered(scenario), hooks=True)]
        return {container["image"].partition("/")[0] for containers in templates for container in containers}

    assert registries("ha") == {"docker.io"}
    assert registries("overrides") == {"mirror.example"}


def test_nothing_runs_when_every_store_is_managed() -> None:
    assert [manifest["kind"] for manifest in rendered("managed")] == ["ConfigMap"]
