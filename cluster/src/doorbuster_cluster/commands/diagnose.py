"""`make diagnose`: a bundle of what somebody needs who wasn't there: events, statuses and logs."""

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from doorbuster_cluster.commands.session import Machine, Session
from doorbuster_cluster.errors import ClusterError
from doorbuster_cluster.process import Completed
from doorbuster_cluster.progress import Progress
from doorbuster_cluster.runtime.releases import NAMESPACE
from doorbuster_cluster.settings import Settings

LOG_LINES = "2000"
ASK_SECONDS = 60.0
EVERYTHING = "nodes,namespaces,statefulsets,deployments,daemonsets,jobs,pods,services,pvc,pv,networkpolicies,pdb"
SCALERS = "consumerscalers.doorbuster.dev"
# Asked through the API server, which no policy keeps out.
PROMETHEUS = f"/api/v1/namespaces/{NAMESPACE}/services/observability-prometheus:9090/proxy/api/v1"


def write_bundle(settings: Settings, progress: Progress, *, folder: Path, now: datetime) -> Path:
    """Return the new folder with the bundle. A question without an answer leaves its error message instead.

    Args:
        settings: name the cluster.
        progress: shows the steps.
        folder: receives the bundle's folder.
        now: goes into its name.
    """
    session = Session(settings, Machine(settings).running_engine(), progress)
    bundle = folder / f"diagnose-{settings.cluster}-{now:%Y%m%d-%H%M%S}"
    bundle.mkdir(parents=True)
    with progress.step(f"write {bundle}"):
        for name, answer in _answers(session):
            text = answer.stdout if answer.ok else f"{answer.stdout}\nended with {answer.returncode}\n{answer.stderr}"
            (bundle / name).write_text(text)
    return bundle


def _answers(session: Session) -> Iterator[tuple[str, Completed]]:
    tools, engine, node = session.tools, session.engine, session.cluster.node
    yield "engine.txt", _ask(engine.try_docker, "info")
    yield "containers.txt", _ask(engine.try_docker, "ps", "--all")
    yield "node.log", _ask(engine.try_docker, "logs", "--tail", LOG_LINES, node)
    for unit in ("kubelet", "containerd"):
        command = ("exec", node, "journalctl", "--unit", unit, "--no-pager", "--lines", LOG_LINES)
        yield f"{unit}.log", _ask(engine.try_docker, *command)
    yield "objects.txt", _ask(tools.try_kubectl, "get", EVERYTHING, "--all-namespaces", "--output", "wide")
    yield "objects.yaml", _ask(tools.try_kubectl, "get", EVERYTHING, "--namespace", NAMESPACE, "--output", "yaml")
    yield "events.txt", _ask(tools.try_kubectl, "get", "events", "--all-namespaces", "--sort-by", ".lastTimestamp")
    yield "releases.txt", _ask(tools.try_helm, "list", "--all-namespaces")
    # By themselves: a kind that isn't there would spoil the answer about all the others.
    yield "scalers.yaml", _ask(tools.try_kubectl, "get", SCALERS, "--namespace", NAMESPACE, "--output", "yaml")
    for question in ("targets", "alerts"):
        yield f"prometheus-{question}.json", _ask(tools.try_kubectl, "get", "--raw", f"{PROMETHEUS}/{question}")
    for pod in _ask(tools.try_kubectl, "get", "pods", "--namespace", NAMESPACE, "--output", "name").stdout.split():
        yield from _pod_answers(session, pod)


def _pod_answers(session: Session, pod: str) -> Iterator[tuple[str, Completed]]:
    name = pod.removeprefix("pod/")
    options = ("--namespace", NAMESPACE, "--all-containers", "--prefix", "--tail", LOG_LINES)
    ask = session.tools.try_kubectl
    yield f"{name}.describe.txt", _ask(ask, "describe", pod, "--namespace", NAMESPACE)
    yield f"{name}.log", _ask(ask, "logs", pod, *options)
    yield f"{name}.previous.log", _ask(ask, "logs", pod, *options, "--previous")


def _ask(program: Callable[..., Completed], *arguments: str) -> Completed:
    """Return the answer, also where none came in time or the program is missing: then most is to be learnt."""
    try:
        return program(*arguments, timeout_seconds=ASK_SECONDS)
    except ClusterError as exc:
        return Completed(returncode=-1, stdout="", stderr=str(exc))
