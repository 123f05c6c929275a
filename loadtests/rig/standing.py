"""How the platform stands, and what is still in the way of a run or of its end. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from loadtests.rig.api_server import Json

STOCK_DEPLOYMENT = "apps-consumer-stock"
STOCK_SCALER = "stock"
# What sets a fault; behind it stands which.
FAULT_VARIABLES = "DOORBUSTER_FAULTS__"


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What somebody still works on, as the database and Kafka know it; None is not known.

    Attributes:
        outbox: messages that wait to be published.
        sagas: orders that aren't final and compensated.
        deliveries: paid orders that the partner wasn't told about.
        lag: of all consumer groups, the most within the last seconds, in records.
    """

    outbox: int | None
    sagas: int | None
    deliveries: int | None
    lag: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How the cluster stands.

    Attributes:
        not_ready: workloads of which not all replicas are ready and of the newest revision.
        faults: which faults are set, by Deployment, of those that have one.
        paused: scalers that decide nothing.
        stock_replicas: what the stock consumer's Deployment asks for; None when there is none.
    """

    not_ready: Sequence[str]
    faults: Mapping[str, str]
    paused: Sequence[str]
    stock_replicas: int | None


def standing_of(workloads: Sequence[Json], scalers: Sequence[Json]) -> Standing:
    """Return how the cluster stands, from Deployments and StatefulSets, and from ConsumerScalers."""
    replicas = {each["metadata"]["name"]: each["spec"]["replicas"] for each in workloads}
    return Standing(
        not_ready=sorted(each["metadata"]["name"] for each in workloads if not _ready(each)),
        faults={each["metadata"]["name"]: faults for each in workloads if (faults := _faults(each))},
        paused=sorted(each["metadata"]["name"] for each in scalers if each["spec"].get("paused") is True),
        stock_replicas=replicas.get(STOCK_DEPLOYMENT),
    )


def _ready(workload: Json) -> bool:
    status, wanted = workload.get("status", {}), workload["spec"]["replicas"]
    of_newest = status.get("observedGeneration") == workload["metadata"]["generation"]
    # A Deployment's status counts pods of older revisions, too, until they are gone.
    counted = (status.get("readyReplicas", 0), status.get("updatedReplicas", 0), status.get("replicas", 0))
    return bool(of_newest and set(counted) == {wanted})


def _faults(workload: Json) -> str:
    containers = workload["spec"]["template"]["spec"]["containers"]
    variables = [variable for container in containers for variable in container.get("env", ())]
    set_ones = {
        each["name"].removeprefix(FAULT_VARIABLES).lower().replace("_", " "): str(each.get("value", ""))
        for each in variables
        if each["name"].startswith(FAULT_VARIABLES) and each.get("value")
    }
    return ", ".join(f"{fault} {value}" for fault, value in sorted(set_ones.items()))


def unfit(standing: Standing) -> list[str]:
    """Return what a run doesn't wait for, because it doesn't go away by itself."""
    found = [f"{name} has a fault: {faults}" for name, faults in standing.faults.items()]
    if standing.paused:
        found.append(f"paused scalers: {', '.join(standing.paused)}")
    if standing.stock_replicas is None:
        found.append(f"there is no Deployment {STOCK_DEPLOYMENT}")
    return found


def restless(standing: Standing, work: Work) -> list[str]:
    """Return what a run waits for before it begins (P20); empty when all is at rest."""
    found = []
    if standing.not_ready:
        found.append(f"not ready: {', '.join(standing.not_ready)}")
    if standing.stock_replicas != 1:
        found.append(f"{STOCK_DEPLOYMENT} has {standing.stock_replicas} replicas instead of 1")
    return [*found, *at_work(work)]


def at_work(work: Work) -> list[str]:
    """Return what somebody still works on, each as a few words; what isn't known counts as work."""
    counts = {
        "messages in the outbox": work.outbox,
        "open sagas": work.sagas,
        "deliveries that are due": work.deliveries,
        "records of lag": work.lag,
    }
    return [*_counted(counts)]


def _counted(counts: Mapping[str, int | None]) -> Iterator[str]:
    for what, count in counts.items():
        if count is None:
            yield f"{what}: not known"
        elif count:
            yield f"{count:,} {what}"
