"""`make status`: what is there, in one screen. Changes nothing."""

import json

from rich.console import Console
from rich.table import Table

from doorbuster_cluster.commands.session import Machine, Session
from doorbuster_cluster.progress import Progress
from doorbuster_cluster.runtime.releases import NAMESPACE
from doorbuster_cluster.settings import Settings


def show_status(settings: Settings, console: Console) -> bool:
    """Print engine, cluster, releases and pods; return whether everything that is installed is ready."""
    session = Session(settings, Machine(settings).running_engine(), Progress(console))
    kind = "our own" if session.engine.own else "this machine's"
    console.print(f"engine    {kind}{f' ({session.engine.address})' if session.engine.address else ''}")
    if not session.cluster.exists():
        console.print(f"cluster   {settings.cluster}: [yellow]not there[/]; `make up` makes it")
        return False
    console.print(f"cluster   {settings.cluster}: http://127.0.0.1:{settings.port}")
    console.print(f"kubectl   export KUBECONFIG={settings.kubeconfig}", soft_wrap=True)
    console.print(_releases(session))
    pods = _pods(session)
    console.print(_pod_table(pods))
    return all(ready == wanted for _, ready, wanted, _ in pods)


def _releases(session: Session) -> Table:
    table = Table("release", "chart", "status", "updated", box=None, pad_edge=False)
    listed = json.loads(session.tools.helm("list", "--namespace", NAMESPACE, "--output", "json"))
    for release in listed:
        table.add_row(release["name"], release["chart"], release["status"], release["updated"][:19])
    return table


def _pods(session: Session) -> list[tuple[str, int, int, int]]:
    """Return name, ready containers, all containers and restarts of each pod of ours."""
    answer = session.tools.kubectl("get", "pods", "--namespace", NAMESPACE, "--output", "json")
    pods = []
    for pod in json.loads(answer)["items"]:
        states = pod["status"].get("containerStatuses", [])
        if pod["status"]["phase"] == "Succeeded":
            continue
        ready = sum(state["ready"] for state in states)
        restarts = sum(state["restartCount"] for state in states)
        pods.append((pod["metadata"]["name"], ready, len(pod["spec"]["containers"]), restarts))
    return pods


def _pod_table(pods: list[tuple[str, int, int, int]]) -> Table:
    table = Table("pod", "ready", "restarts", box=None, pad_edge=False)
    for name, ready, wanted, restarts in pods:
        colour = "green" if ready == wanted else "red"
        table.add_row(name, f"[{colour}]{ready}/{wanted}[/]", str(restarts))
    return table
