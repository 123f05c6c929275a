"""`make up`: from whatever state this machine is in to the whole platform, each part only if it isn't there yet."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from doorbuster_cluster.commands.prepare import prepare_machine
from doorbuster_cluster.commands.session import Machine, Session
from doorbuster_cluster.commands.supply import (
    APPS,
    MONITORS,
    OPERATOR,
    STORES,
    BuiltSupply,
    PulledSupply,
    Supply,
)
from doorbuster_cluster.host.lock import held
from doorbuster_cluster.progress import Progress
from doorbuster_cluster.runtime.addons import KUBE_ROUTER, TRAEFIK, Addon
from doorbuster_cluster.runtime.releases import Release, image_values, values_file
from doorbuster_cluster.runtime.secrets import ISSUER_SECRET, SECRET_BY_STORE, create_missing
from doorbuster_cluster.settings import ImagesChoice, Settings
from doorbuster_cluster.work import Task, run_tasks

CLUSTER_LANE = "cluster"
EDGE_LANE = "edge"
# The Secret with the token that `helm test` buys with; who wants that makes it, docs/operations.md says how (P15).
TEST_TOKEN_SECRET = "test-token"  # noqa: S105  # a Secret's name
DATA = "data"
OBSERVABILITY = "observability"
# In the order of installation.
RELEASES = (DATA, OBSERVABILITY, OPERATOR, APPS)
# Their pods ask the API server, and their policies say where it is (P5).
ASK_API_SERVER = frozenset({OBSERVABILITY, OPERATOR})
# P12: fixed when the topics are made.
PARTITIONS = 12
# P8: as many replicas of a consumer as two cores were planned for.
MOST_REPLICAS = 6


def bring_up(settings: Settings, progress: Progress) -> None:
    """Bring up the platform; what is there already is left alone.

    Raises:
        ClusterError: with what to do about it. Type `make up` again to go on from there.
    """
    with held(Machine(settings).lock, "make up"):
        engine, choice = prepare_machine(settings, progress)
        session = Session(settings, engine, progress)
        run_tasks(platform_tasks(session, supply_for(session, choice)))


def supply_for(session: Session, choice: ImagesChoice) -> Supply:
    """Return the supply that the choice names."""
    return BuiltSupply(session=session) if choice is ImagesChoice.BUILD else PulledSupply(session=session)


def platform_tasks(session: Session, supply: Supply) -> list[Task]:
    """Return every task of `make up`, from programs to the last release."""
    return [*supply.tasks(), *cluster_tasks(session, supply), *install_tasks(session, supply)]


def cluster_tasks(session: Session, supply: Supply) -> list[Task]:
    """Return the tasks that make registry and cluster and connect them."""

    def task(name: str, run: Callable[[], None], *needs: str) -> Task:
        return Task(name=name, run=run, lane=CLUSTER_LANE, needs=frozenset(needs))

    return [
        task("registry", partial(session.registry.start, supply.images["registry"]), "image registry"),
        task(
            "cluster", partial(_make_cluster, session, supply.images["node"]), "image node", "tool kind", "tool kubectl"
        ),
        task("connect", partial(_connect, session, cut_off=not supply.enforces_policies), "cluster", "registry"),
    ]


def install_tasks(session: Session, supply: Supply) -> list[Task]:
    """Return the tasks that install add-ons, Secrets and releases into the cluster."""
    addons = [TRAEFIK] if supply.enforces_policies else [KUBE_ROUTER, TRAEFIK]
    images = {f"{name.upper()}_IMAGE": reference for name, reference in supply.images.items()}
    ground = frozenset({"secrets", "connect", "tool helm"})
    return [
        Task(
            name="secrets", run=partial(create_missing, session.tools), lane=CLUSTER_LANE, needs=frozenset({"cluster"})
        ),
        *(_addon_task(session, addon, images) for addon in addons),
        *_release_tasks(session, supply, ground),
    ]


def _release_tasks(session: Session, supply: Supply, ground: frozenset[str]) -> list[Task]:
    """Return the tasks of the releases, each after the one before (P6)."""
    releases = (
        (data_release(session, supply), supply.before_pods(STORES)),
        (observability_release(session, supply), supply.before_pods(MONITORS)),
        (operator_release(session, supply), {f"push {OPERATOR}"}),
        (apps_release(session, supply), {f"push {APPS}"}),
    )
    tasks: list[Task] = []
    for release, pushes in releases:
        before = {task.name for task in tasks[-1:]}
        tasks.append(_release_task(session, release, ground | pushes | before))
    return tasks


def data_release(session: Session, supply: Supply) -> Release:
    """Return the data plane's release: MySQL, Redis and Kafka."""
    values: dict[str, object] = {"size": session.settings.size.value}
    for store in STORES:
        section = supply.section(store)
        if store in SECRET_BY_STORE:
            section["existingSecret"] = SECRET_BY_STORE[store]
        values[store] = section
    return Release(name=DATA, values=values)


def observability_release(_session: Session, supply: Supply) -> Release:
    """Return the release of Prometheus, Alertmanager, rules and dashboards, but for where the API server is."""
    return Release(name=OBSERVABILITY, values={name: supply.section(name) for name in MONITORS})


def operator_release(session: Session, supply: Supply) -> Release:
    """Return the operator's release, but for where the API server is."""
    return Release(name=OPERATOR, values={"image": image_values(session.images.reference(supply.operator))})


def complete(session: Session, release: Release) -> Release:
    """Return the release with what is known only when the cluster is there: where its API server is.

    Raises:
        CommandFailed: there is no cluster.
    """
    if release.name not in ASK_API_SERVER:
        return release
    return replace(release, values={**release.values, "apiServer": session.cluster.api_server().values()})


def apps_release(session: Session, supply: Supply) -> Release:
    """Return the applications' release; with the development issuer and the stand-in for the partner."""
    values: dict[str, object] = {
        "size": session.settings.size.value,
        "profile": "local",
        "image": image_values(session.images.reference(supply.apps)),
        "topics": {"partitions": PARTITIONS},
        "autoscaling": {"maxReplicas": MOST_REPLICAS},
        **{store: {"existingSecret": secret} for store, secret in SECRET_BY_STORE.items()},
        "issuer": {"enabled": True, "existingSecret": ISSUER_SECRET},
        "partner": {"enabled": True},
        "ingress": {"enabled": True, "withoutHost": True},
        "tests": {"tokenSecret": TEST_TOKEN_SECRET},
    }
    return Release(name=APPS, values=values)


def _make_cluster(session: Session, image: str) -> None:
    if session.cluster.is_running(image):
        session.progress.cached("cluster")
        return
    with session.progress.step("make the kind cluster"):
        session.cluster.create(image)


def _connect(session: Session, *, cut_off: bool) -> None:
    session.cluster.use_registry(session.registry)
    if cut_off and session.engine.own:
        session.cluster.cut_off()


def _addon_task(session: Session, addon: Addon, images: dict[str, str]) -> Task:
    def run() -> None:
        if addon.is_current(session.tools, images):
            session.progress.cached(addon.name)
            return
        with session.progress.step(f"install {addon.name}"):
            addon.install(session.tools, images)

    needs = {"connect", "push traefik"} if addon is TRAEFIK else {"connect"}
    return Task(name=f"addon {addon.name}", run=run, lane=EDGE_LANE, needs=frozenset(needs))


def _release_task(session: Session, release: Release, needs: frozenset[str]) -> Task:
    return Task(name=f"release {release.name}", run=partial(_install, session, release), lane=CLUSTER_LANE, needs=needs)


def _install(session: Session, planned: Release) -> None:
    release = complete(session, planned)
    values = values_file(session.settings, release.name)
    if release.is_current(session.tools):
        session.progress.cached(f"release {release.name}")
        release.write_values(values)
        return
    with session.progress.step(f"install release {release.name}"):
        release.install(session.tools, values)
