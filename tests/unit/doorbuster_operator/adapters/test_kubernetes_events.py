"""Events are few, and never in the way of anything else."""

from structlog.testing import capture_logs

from doorbuster_operator.adapters.kubernetes_events import BURST, MOST_CHARACTERS, SECONDS_PER_EVENT, KubernetesEvents
from tests.unit.doorbuster_operator.adapters.api_servers import api_that, body_of, document, refusal
from tests.unit.doorbuster_operator.adapters.http_server import Handler

ABOUT = {"apiVersion": "doorbuster.dev/v1alpha1", "kind": "ConsumerScaler", "namespace": "n", "name": "stock"}


class Server:
    """Takes all Events."""

    def __init__(self) -> None:
        self.taken: list[dict[str, object]] = []

    def __call__(self, handler: Handler) -> None:
        self.taken.append(body_of(handler))
        document({}, status=201)(handler)


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def post(events: KubernetesEvents, count: int, *, uid: str = "u", message: str = "number {}") -> None:
    for number in range(count):
        events.post({**ABOUT, "uid": uid}, reason="AtMaximum", message=message.format(number), warning=True)


def test_no_object_gets_more_than_a_few() -> None:
    server, clock = Server(), Clock()
    with api_that(server) as api, capture_logs() as lines:
        events = KubernetesEvents(api, namespace="n", clock=clock)
        post(events, 30)
        assert len(server.taken) == BURST
        assert [line["event"] for line in lines] == ["event_dropped"] * (30 - BURST)

        post(events, 1, uid="another")
        assert len(server.taken) == BURST + 1

        clock.seconds = 2 * SECONDS_PER_EVENT
        post(events, 30)
        assert len(server.taken) == BURST + 3


def test_what_is_too_long_is_cut() -> None:
    server = Server()
    with api_that(server) as api:
        post(KubernetesEvents(api, namespace="n"), 1, message="x" * 5000)

    assert server.taken[0]["message"] == "x" * MOST_CHARACTERS


def test_what_cant_be_posted_is_logged() -> None:
    with api_that(refusal(403, "no")) as api, capture_logs() as lines:
        post(KubernetesEvents(api, namespace="n"), 1)

    assert [(line["event"], line["message"]) for line in lines] == [("event_not_posted", "number 0")]
