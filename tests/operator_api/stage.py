"""Everything around one operator: its namespace, its consumers, its Prometheus, and the scalers that a test makes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.integration.polling import seconds_until
from tests.operator_api.fake_prometheus import FakePrometheus, running_prometheus
from tests.operator_api.fleet import Fleet, working_fleet
from tests.operator_api.loads import Consumers, Load
from tests.operator_api.namespaces import Namespace
from tests.operator_api.operator_process import Operator, operator_process
from tests.operator_api.operator_release import API, install_rights
from tests.operator_api.rest import Document, Rest

GROUP = "stock-service-group"
TOPIC = "order-created"
SCALER = "stock"
TARGET = "apps-consumer-stock"
# A tick is one second, and two cores may be busy with other tests.
SOON_SECONDS = 20.0


def spec(**fields: object) -> Document:
    """A spec that is right; one replica does 20 records a second."""
    return {
        "targetRef": {"kind": "Deployment", "name": TARGET},
        "consumerGroup": GROUP,
        "topics": [TOPIC],
        "minReplicas": 1,
        "maxReplicas": 12,
        "capacityHint": 20,
        **fields,
    }


def manifest(**fields: object) -> Document:
    """A ConsumerScaler that is right."""
    return {"apiVersion": API, "kind": "ConsumerScaler", "metadata": {"name": SCALER}, "spec": spec(**fields)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A test's surroundings.

    Attributes:
        folder: for logs.
        kubeconfig: of the operator's service account.
        operator: not started yet.
    """

    namespace: Namespace
    folder: Path
    kubeconfig: Path
    fleet: Fleet
    prometheus: FakePrometheus
    operator: Operator

    @property
    def rest(self) -> Rest:
        """Calls as the administrator."""
        return self.namespace.server.rest

    def load(self, *, rate: float, lag: float) -> None:
        """Let records come at a rate, in records a second, with so many that wait."""
        self.prometheus.series = self.load_of(rate=rate, lag=lag).series()

    def load_of(self, *, rate: float, lag: float, until: float | None = None) -> Load:
        """Return such a load; `until` as in `Load`."""
        return Load(namespace=self.namespace.name, group=GROUP, topic=TOPIC, rate=rate, lag=lag, until=until)

    def work(self, *, rate: float, seconds_per_record: float) -> None:
        """Let the consumers tell of such work, in full batches, beside what the lag exporter says already."""
        pods = [pod["metadata"]["name"] for pod in self.fleet.pods(TARGET)]
        consumers = Consumers(
            namespace=self.namespace.name,
            group=GROUP,
            topic=TOPIC,
            pods=pods,
            rate=rate,
            seconds_per_record=seconds_per_record,
        )
        self.prometheus.series = [*self.prometheus.series, *consumers.series()]

    def make_scaler(self, *, name: str = SCALER, **fields: object) -> None:
        """Make the ConsumerScaler, or another one."""
        document = manifest(**fields)
        self.rest.post(self._scalers, {**document, "metadata": {**document["metadata"], "name": name}})

    def scaler(self, name: str = SCALER) -> Document:
        """Return the ConsumerScaler as it is stored, or another one."""
        return self.rest.get(f"{self._scalers}/{name}")

    def change_scaler(self, **fields: object) -> None:
        """Change some fields of its spec."""
        self.rest.patch(f"{self._scalers}/{SCALER}", {"spec": fields})

    def status(self) -> Document:
        """Return its status; empty when nobody has written one."""
        found: Document = self.scaler().get("status", {})
        return found

    def condition(self, kind: str) -> Document:
        """Return a condition of its status; empty when there is none of that type."""
        return next((each for each in self.status().get("conditions", []) if each["type"] == kind), {})

    def wait_condition(self, kind: str, status: str) -> None:
        """Return when a condition has that status."""
        seconds_until(
            lambda: self.condition(kind).get("status") == status,
            within_seconds=SOON_SECONDS,
            what=f"{kind} is {status}",
        )

    def wait_replicas(self, replicas: int) -> float:
        """Return how many seconds it took until the target asked for so many replicas."""
        return seconds_until(
            lambda: self.fleet.replicas(TARGET) == replicas,
            within_seconds=SOON_SECONDS,
            what=f"{replicas} replicas are asked for",
        )

    def wait_reason(self, reason: str) -> None:
        """Return when a decision in the status has that reason."""
        seconds_until(
            lambda: reason in {each["reason"] for each in self.status().get("decisions", [])},
            within_seconds=SOON_SECONDS,
            what=f"the status tells of {reason}",
        )

    def events(self) -> list[Document]:
        """Return the Events about the ConsumerScaler."""
        path = f"/api/v1/namespaces/{self.namespace.name}/events?fieldSelector=involvedObject.name={SCALER}"
        found: list[Document] = self.rest.get(path)["items"]
        return found

    @property
    def _scalers(self) -> str:
        return f"/apis/{API}/namespaces/{self.namespace.name}/consumerscalers"


@contextmanager
def set_stage(namespace: Namespace, folder: Path) -> Iterator[Stage]:
    """Yield a stage with one replica of the consumers, no load known, and an operator that isn't started."""
    kubeconfig = namespace.service_account_kubeconfig(install_rights(namespace))
    with (
        running_prometheus() as prometheus,
        working_fleet(namespace.server.rest, namespace.name) as fleet,
        operator_process(
            folder, namespace=namespace.name, kubeconfig=kubeconfig, prometheus=prometheus.address
        ) as operator,
    ):
        fleet.deploy(TARGET, replicas=1)
        yield Stage(
            namespace=namespace,
            folder=folder,
            kubeconfig=kubeconfig,
            fleet=fleet,
            prometheus=prometheus,
            operator=operator,
        )
        assert operator.complaints() == []
