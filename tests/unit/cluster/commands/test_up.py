import io
from collections.abc import Callable
from graphlib import TopologicalSorter
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from doorbuster_cluster.builds.images import read_source
from doorbuster_cluster.commands.session import Session
from doorbuster_cluster.commands.supply import MONITORS, STORES, BuiltSupply, PulledSupply, Supply
from doorbuster_cluster.commands.up import (
    apps_release,
    bring_up,
    complete,
    data_release,
    install_tasks,
    observability_release,
    operator_release,
    platform_tasks,
    supply_for,
)
from doorbuster_cluster.digests import digest_of
from doorbuster_cluster.errors import LockHeld
from doorbuster_cluster.host.lock import held
from doorbuster_cluster.progress import Progress
from doorbuster_cluster.runtime.addons import TRAEFIK
from doorbuster_cluster.runtime.releases import Release
from doorbuster_cluster.settings import ImagesChoice, Settings
from doorbuster_cluster.work import Task
from tests.unit.cluster.conftest import FakeProgram


@pytest.fixture(params=[BuiltSupply, PulledSupply])
def supply(request: pytest.FixtureRequest, session: Session) -> Supply:
    made: Supply = request.param(session=session)
    return made


@pytest.fixture
def tasks(session: Session, supply: Supply) -> dict[str, Task]:
    return {task.name: task for task in platform_tasks(session, supply)}


def before(tasks: dict[str, Task], name: str) -> set[str]:
    """Return all that has to be done before a task, directly or not."""
    needs = tasks[name].needs
    return set(needs).union(*(before(tasks, need) for need in needs))


def test_every_task_has_a_name_of_its_own(session: Session, supply: Supply) -> None:
    names = [task.name for task in platform_tasks(session, supply)]

    assert len(names) == len(set(names))


def test_whatever_a_task_needs_is_a_task(tasks: dict[str, Task]) -> None:
    assert {need for task in tasks.values() for need in task.needs} <= tasks.keys()


def test_no_task_waits_for_itself(tasks: dict[str, Task]) -> None:
    order = list(TopologicalSorter({task.name: task.needs for task in tasks.values()}).static_order())

    assert len(order) == len(tasks)


def test_the_stores_are_installed_when_cluster_registry_and_passwords_are_there(tasks: dict[str, Task]) -> None:
    assert {"secrets", "connect", "cluster", "registry", "tool helm", "tool kubectl"} <= before(tasks, "release data")


def test_the_cluster_is_made_by_kind_from_the_node_image(tasks: dict[str, Task]) -> None:
    assert {"tool kind", "tool kubectl", "image node"} <= before(tasks, "cluster")


def test_the_edge_comes_when_its_image_can_be_had(tasks: dict[str, Task]) -> None:
    assert {"connect", "push traefik"} <= before(tasks, "addon traefik")


def test_built_images_are_pushed_before_pods_want_them(session: Session) -> None:
    tasks = {task.name: task for task in platform_tasks(session, BuiltSupply(session=session))}

    for store in STORES:
        assert {f"push {store}", f"image {store}", "registry"} <= before(tasks, "release data")
    assert {"image traefik", "program traefik", "registry"} <= before(tasks, "push traefik")


def test_a_built_node_image_waits_for_all_its_programs(session: Session) -> None:
    tasks = {task.name: task for task in platform_tasks(session, BuiltSupply(session=session))}

    programs = {*read_source("node").programs, *read_source("system").programs}
    assert {f"program {name}" for name in programs} <= before(tasks, "image node")


def test_nothing_that_a_pod_needs_waits_for_the_edge(session: Session) -> None:
    # Traefik is the longest build, and only people wait for it.
    tasks = {task.name: task for task in platform_tasks(session, BuiltSupply(session=session))}

    assert not {"program traefik", "image traefik", "addon traefik"} & before(tasks, "release data")


def test_the_releases_come_one_after_the_other(session: Session, supply: Supply) -> None:
    tasks = {task.name: task for task in platform_tasks(session, supply)}
    order = ["secrets", "release data", "release observability", "release operator", "release apps"]

    for earlier, later in pairwise(order):
        assert earlier in tasks[later].needs


def test_the_monitors_images_are_pushed_before_their_release(session: Session) -> None:
    tasks = {task.name: task for task in platform_tasks(session, BuiltSupply(session=session))}

    for name in MONITORS:
        assert {f"push {name}", f"image {name}", "registry"} <= before(tasks, "release observability")
        # The stores take longest to start, and don't wait for what comes after them.
        assert f"image {name}" not in before(tasks, "release data")


def test_the_operator_comes_with_its_own_image(tasks: dict[str, Task]) -> None:
    needed = before(tasks, "release operator")

    assert {"push operator", "image operator", "wheels operator", "registry", "tool helm"} <= needed
    assert not {"push apps", "program traefik", "addon traefik"} & needed


def test_the_operator_is_told_of_its_image(session: Session, supply: Supply) -> None:
    values = operator_release(session, supply).values

    assert values.keys() == {"image"}
    image = values["image"]
    assert isinstance(image, dict)
    assert f"{image['registry']}/{image['repository']}" == "localhost:5001/doorbuster/operator"
    assert session.images.reference(supply.operator).endswith(f":{image['tag']}")


def test_published_monitors_are_the_charts_defaults(session: Session) -> None:
    assert observability_release(session, PulledSupply(session=session)).values == {
        "prometheus": {},
        "alertmanager": {},
    }


def test_built_monitors_are_named_in_the_values(session: Session) -> None:
    prometheus = observability_release(session, BuiltSupply(session=session)).values["prometheus"]

    assert isinstance(prometheus, dict)
    assert prometheus["image"]["repository"] == "doorbuster/prometheus"
    assert session.images.reference(read_source("prometheus")).endswith(f":{prometheus['image']['tag']}")


@pytest.mark.parametrize("make", [observability_release, operator_release])
def test_who_asks_the_api_server_is_told_where_it_is(
    session: Session, supply: Supply, fake_program: FakeProgram, make: Callable[[Session, Supply], Release]
) -> None:
    kubectl = fake_program("kubectl", "echo 172.19.0.2 6443")
    planned = make(session, supply)

    completed = complete(session, planned)

    assert completed.values == {**planned.values, "apiServer": {"cidr": "172.19.0.2/32", "port": 6443}}
    assert kubectl.read_text().startswith("get endpointslice kubernetes --namespace default ")


@pytest.mark.parametrize("make", [data_release, apps_release])
def test_nobody_else_is(
    session: Session, supply: Supply, fake_program: FakeProgram, make: Callable[[Session, Supply], Release]
) -> None:
    kubectl = fake_program("kubectl", "exit 1")
    planned = make(session, supply)

    assert complete(session, planned) is planned
    assert not kubectl.exists()


def test_the_applications_come_after_their_stores_with_their_own_image(tasks: dict[str, Task]) -> None:
    needed = before(tasks, "release apps")

    assert {"release data", "secrets", "push apps", "image apps", "wheels apps", "registry", "tool helm"} <= needed
    # Python packages come down while Go programs are built.
    assert not tasks["wheels apps"].needs
    assert not {"program traefik", "image traefik", "addon traefik"} & needed


def test_the_applications_are_told_of_size_image_and_secrets(session: Session, supply: Supply) -> None:
    values = apps_release(session, supply).values

    assert values["size"] == "ha"
    assert values["profile"] == "local"
    assert values["mysql"] == {"existingSecret": "mysql-credentials"}
    assert values["redis"] == {"existingSecret": "redis-credentials"}
    assert values["issuer"] == {"enabled": True, "existingSecret": "issuer-key"}
    image = values["image"]
    assert isinstance(image, dict)
    assert f"{image['registry']}/{image['repository']}" == "localhost:5001/doorbuster/apps"


def test_the_applications_image_depends_on_where_its_base_comes_from(session: Session) -> None:
    built, pulled = BuiltSupply(session=session).apps, PulledSupply(session=session).apps

    assert session.images.reference(built) != session.images.reference(pulled)
    assert pulled.root is not None
    assert pulled.root.reference.startswith("docker.io/library/python:3.13-")


def test_the_compilers_caches_go_after_the_last_program(session: Session) -> None:
    tasks = {task.name: task for task in platform_tasks(session, BuiltSupply(session=session))}

    assert tasks["drop caches"].needs == {name for name in tasks if name.startswith("program ")}


def test_policies_are_enforced_by_us_only_where_the_node_does_not(session: Session) -> None:
    def addons(supply: Supply) -> list[str]:
        return [task.name for task in install_tasks(session, supply) if task.name.startswith("addon ")]

    assert addons(BuiltSupply(session=session)) == ["addon kube-router", "addon traefik"]
    assert addons(PulledSupply(session=session)) == ["addon traefik"]


def test_the_choice_of_images_decides_the_supply(session: Session) -> None:
    assert isinstance(supply_for(session, ImagesChoice.BUILD), BuiltSupply)
    assert isinstance(supply_for(session, ImagesChoice.PULL), PulledSupply)


def test_built_images_are_named_in_the_values(session: Session) -> None:
    values = data_release(session, BuiltSupply(session=session)).values

    mysql = values["mysql"]
    assert isinstance(mysql, dict)
    assert mysql["existingSecret"] == "mysql-credentials"
    assert mysql["image"]["registry"] == "localhost:5001"
    assert mysql["image"]["repository"] == "doorbuster/mysql"
    assert session.images.reference(read_source("mysql")).endswith(f":{mysql['image']['tag']}")


def test_published_images_are_the_charts_defaults(session: Session) -> None:
    assert data_release(session, PulledSupply(session=session)).values == {
        "size": "ha",
        "redis": {"existingSecret": "redis-credentials"},
        "kafka": {},
        "mysql": {"existingSecret": "mysql-credentials"},
    }


def run_task(session: Session, supply: Supply, name: str) -> None:
    next(task for task in platform_tasks(session, supply) if task.name == name).run()


def test_a_running_cluster_is_left_alone(session: Session, fake_program: FakeProgram, printed: io.StringIO) -> None:
    docker = fake_program("docker", "echo true docker.io/kindest/node:v1.35.4")
    fake_program("kubectl", "")
    session.settings.state.mkdir(parents=True)
    (session.settings.state / "complete").touch()

    run_task(session, PulledSupply(session=session), "cluster")

    assert len(docker.read_text().splitlines()) == 1
    assert "cluster  cached" in printed.getvalue()


def test_a_current_addon_is_left_alone(session: Session, fake_program: FakeProgram, printed: io.StringIO) -> None:
    supply = PulledSupply(session=session)
    manifest = TRAEFIK.manifest({"TRAEFIK_IMAGE": supply.images["traefik"]})
    kubectl = fake_program("kubectl", f"printf {digest_of(manifest)}")

    run_task(session, supply, "addon traefik")

    assert len(kubectl.read_text().splitlines()) == 1
    assert "traefik  cached" in printed.getvalue()


def test_a_current_release_is_left_alone_but_its_values_are_written(
    session: Session, fake_program: FakeProgram, printed: io.StringIO
) -> None:
    supply = PulledSupply(session=session)
    release = data_release(session, supply)
    answer = f'{{"info": {{"status": "deployed", "description": "{release.digest()}"}}}}'
    helm = fake_program("helm", f"echo '{answer}'")

    run_task(session, supply, "release data")

    assert len(helm.read_text().splitlines()) == 1
    assert yaml.safe_load((session.settings.state / "values" / "data.yaml").read_text()) == release.values
    assert "release data  cached" in printed.getvalue()


def test_a_second_run_is_refused(shop: Settings, progress: Progress) -> None:
    with held(Path(shop.cache) / "lock", "make up"), pytest.raises(LockHeld, match=r"\(make up\)"):
        bring_up(shop, progress)


def test_the_cluster_does_not_wait_for_programs_that_it_does_not_need(session: Session) -> None:
    tasks = {task.name: task for task in platform_tasks(session, BuiltSupply(session=session))}
    last_build = tasks["program traefik"]

    tools = [task for name, task in tasks.items() if name.startswith("tool ")]

    assert len(tools) == 3
    assert {task.lane for task in (*tools, tasks["cluster"])}.isdisjoint({last_build.lane})
