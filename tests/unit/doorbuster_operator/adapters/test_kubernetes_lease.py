"""What isn't known about the Lease is that it isn't ours."""

from collections.abc import Sequence

import pytest

from doorbuster_operator.adapters.kubernetes_lease import KubernetesLease
from tests.unit.doorbuster_operator.adapters.api_servers import api_that, body_of, document, refusal
from tests.unit.doorbuster_operator.adapters.http_server import Handler, Reply

OTHERS = {"metadata": {"resourceVersion": "7"}, "spec": {"holderIdentity": "other", "leaseDurationSeconds": 15}}
OURS = {"metadata": {"resourceVersion": "8"}, "spec": {"holderIdentity": "one", "leaseDurationSeconds": 15}}


class Server:
    """Replies in turn, and remembers what was asked."""

    def __init__(self, replies: Sequence[Reply]) -> None:
        self._replies = iter(replies)
        self.asked: list[str] = []
        self.written: list[dict[str, object]] = []

    def __call__(self, handler: Handler) -> None:
        self.asked.append(handler.command)
        if handler.command != "GET":
            self.written.append(body_of(handler))
        next(self._replies)(handler)


def ask(server: Server, times: int, *, seconds: Sequence[float] = ()) -> list[bool]:
    moments = iter(seconds)
    with api_that(server) as api:
        lease = KubernetesLease(api, namespace="n", name="operator", identity="one", clock=lambda: next(moments, 0.0))
        return [lease.held() for _ in range(times)]


def test_a_renewal_is_one_request() -> None:
    server = Server([refusal(404, "not found"), document(OURS, status=201), document(OURS), document(OURS)])

    assert ask(server, 3) == [True, True, True]
    assert server.asked == ["GET", "POST", "PUT", "PUT"]


def test_what_is_written_names_the_version_that_was_read() -> None:
    free = {"metadata": {"resourceVersion": "7"}, "spec": {"holderIdentity": ""}}
    server = Server([document(free), document(OURS)])

    assert ask(server, 1) == [True]
    assert server.written[0]["metadata"] == {"resourceVersion": "7"}


@pytest.mark.parametrize("status", [403, 409, 500])
def test_who_cant_write_doesnt_have_it(status: int) -> None:
    free = {"metadata": {"resourceVersion": "7"}, "spec": {}}

    assert ask(Server([document(free), refusal(status, "no")]), 1) == [False]


def test_after_an_unknown_renewal_it_is_read_again() -> None:
    server = Server(
        [refusal(404, "not found"), document(OURS, status=201), refusal(500, "no"), document(OURS), document(OURS)]
    )

    assert ask(server, 3) == [True, False, True]
    assert server.asked == ["GET", "POST", "PUT", "GET", "PUT"]


def test_a_lease_that_somebody_took_over_is_theirs() -> None:
    server = Server([refusal(404, "not found"), document(OURS, status=201), refusal(409, "changed"), document(OTHERS)])

    assert ask(server, 2) == [True, False]


def test_an_operator_that_just_started_gives_the_holder_its_whole_time() -> None:
    """However long ago the holder says that it renewed: its clock isn't ours."""
    server = Server([document(OTHERS)] * 3 + [document(OURS)])

    assert ask(server, 3, seconds=[1_000.0, 1_014.9, 1_015.0]) == [False, False, True]


def test_giving_back_never_fails() -> None:
    server = Server([refusal(404, "not found"), document(OURS, status=201), refusal(500, "no")])
    with api_that(server) as api:
        lease = KubernetesLease(api, namespace="n", name="operator", identity="one")
        assert lease.held()

        lease.release()
        lease.release()

    assert server.asked == ["GET", "POST", "PUT"]
