"""The adapter asks once, waits a bounded time, and knows an answer from what only looks like one."""

import gzip
import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import repeat
from typing import Any

import pytest

from doorbuster_operator.adapters.prometheus import PrometheusMetrics, query_for
from doorbuster_operator.adapters.prometheus_transport import MOST_BYTES
from doorbuster_operator.model.samples import Partition, Sample
from doorbuster_operator.ports import MetricsUnavailable
from tests.contracts.metrics_source import NAMESPACE, MetricsSourceContract, Scene, exposed_series
from tests.operator_api.fake_prometheus import Series, running_prometheus
from tests.ports import free_port
from tests.unit.doorbuster_operator.adapters.http_server import Handler, Reply, replying, serving

SECONDS = 5.0
BRIEFLY = 0.2


@contextmanager
def asking(address: str, *, seconds: float = SECONDS) -> Iterator[PrometheusMetrics]:
    metrics = PrometheusMetrics(address, namespace=NAMESPACE, request_seconds=seconds)
    try:
        yield metrics
    finally:
        metrics.close()


def answer(*result: dict[str, Any]) -> bytes:
    return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": result}}).encode()


def series(name: str, *values: tuple[float, str], **labels: str) -> dict[str, Any]:
    return {"metric": {"__name__": name, "pod": "p", **labels}, "values": values}


def problem_with(reply: Reply, *, seconds: float = SECONDS) -> str:
    with (
        serving(reply) as address,
        asking(address, seconds=seconds) as metrics,
        pytest.raises(MetricsUnavailable) as no,
    ):
        metrics.group_samples("g", ["t"])
    return str(no.value)


class TestAdapterOverTheFake(MetricsSourceContract):
    @pytest.fixture
    def scene(self) -> Iterator[Scene]:
        with running_prometheus() as prometheus, asking(prometheus.address) as metrics:
            start = time.time() - 60
            prometheus.series = [Series(labels=each.all_labels, value=each.value) for each in exposed_series(start)]
            yield Scene(metrics=metrics, start=start, scrape_seconds=prometheus.scrape_seconds)


def test_one_query_asks_for_everything() -> None:
    query = query_for("g", ["t1", "t2"], namespace="n")

    assert query.startswith('{__name__=~"kafka_topic_partition_current_offset|')
    assert query.endswith(',topic=~"t1|t2|",consumergroup=~"g|",group=~"g|",namespace="n"}[300s]')


def test_names_stand_in_the_query_literally() -> None:
    query = query_for('a.b"c\\', ["x+y"], namespace='n"')

    assert 'topic=~"x\\\\+y|"' in query
    assert 'group=~"a\\\\.b\\"c\\\\\\\\|"' in query
    assert 'namespace="n\\""' in query


def samples_of(*result: dict[str, Any]) -> Any:
    with serving(replying(200, answer(*result))) as address, asking(address) as metrics:
        return metrics.group_samples("g", ["t"])


def test_what_is_no_number_is_dropped() -> None:
    found = samples_of(series("kafka_consumergroup_members", (1.5, "NaN"), (6.5, "3"), (11.5, "+Inf")))

    assert found.members == (Sample(6.5, 3.0),)


def test_the_newer_of_two_exporters_counts_while_both_are_scraped() -> None:
    place = {"topic": "t", "partition": "0"}
    older = series("kafka_topic_partition_current_offset", (0, "1"), (5, "2"), (10, "3"), (15, "4"), **place)
    newer = series("kafka_topic_partition_current_offset", (7, "20"), (12, "30"), **place)

    found = samples_of(newer, older)

    assert found.ends[Partition("t", 0)] == ((0, 1), (5, 2), (7, 20), (12, 30), (15, 4))


def test_how_old_the_exporters_readings_were_is_known() -> None:
    assert samples_of(series("kafka_exporter_sample_age_seconds", (5, "0.25"))).reading_ages == ((5, 0.25),)


def test_a_result_that_began_later_is_added_from_then_on() -> None:
    found = samples_of(
        series("consumer_records_total", (5, "10"), (10, "20"), group="g", result="done"),
        series("consumer_records_total", (10, "1"), group="g", result="poison"),
    )

    assert found.pods["p"].records == ((5, 10), (10, 21))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Bad Gateway</html>",
        b"null",
        b"[]",
        b'{"status":"success"}',
        b'{"status":"error","errorType":"timeout","error":"query timed out"}',
        b'{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"x"},"value":[1,"2"]}]}}',
        answer(series("kafka_consumergroup_members", (1, "many"))),
        answer(series("consumer_assigned", (1, "1"), topic="t", partition="first")),
        answer(series("something_else", (1, "1"))),
        answer()[:-5],
    ],
)
def test_an_answer_in_another_form_is_no_answer(body: bytes) -> None:
    assert problem_with(replying(200, body)) == "Prometheus' answer isn't what an answer to a query looks like."


def test_an_error_is_told_in_prometheus_words() -> None:
    body = b'{"status":"error","errorType":"bad_data","error":"parse error: unexpected end of input"}'

    problem = problem_with(replying(400, body))

    assert problem == "Prometheus answers with status 400: parse error: unexpected end of input."


@pytest.mark.parametrize("status", [429, 500, 503])
def test_an_error_is_asked_for_once(status: int) -> None:
    requests: list[str] = []

    def reply(handler: Handler) -> None:
        requests.append(handler.path)
        replying(status, b"overloaded", content_type="text/plain")(handler)

    assert problem_with(reply) == f"Prometheus answers with status {status}."
    assert len(requests) == 1


def test_nobody_listens() -> None:
    with asking(f"http://127.0.0.1:{free_port()}") as metrics, pytest.raises(MetricsUnavailable) as no:
        metrics.group_samples("g", ["t"])

    assert str(no.value) == "There is no connection to Prometheus, or it broke."


def test_a_connection_that_breaks_in_the_middle_is_no_answer() -> None:
    def reply(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(answer()[:20])
        handler.close_connection = True

    assert problem_with(reply).startswith("There is no connection to Prometheus, or it broke.")


def test_no_answer_in_time_is_none() -> None:
    ended = threading.Event()
    try:
        problem = problem_with(lambda _: _wait(ended), seconds=BRIEFLY)
    finally:
        ended.set()

    assert problem == "Prometheus doesn't answer within 0.2 s."


def test_an_answer_that_comes_too_slowly_is_none() -> None:
    """Each piece alone is in time."""
    ended = threading.Event()

    def reply(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        while not ended.wait(BRIEFLY / 4):
            handler.wfile.write(b" ")

    try:
        problem = problem_with(reply, seconds=BRIEFLY)
    finally:
        ended.set()

    assert problem == "Prometheus doesn't answer within 0.2 s."


def _wait(ended: threading.Event) -> None:
    ended.wait(SECONDS)


def chunked(pieces: Sequence[bytes], handler: Handler, **headers: str) -> None:
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    for piece in (*pieces, b""):
        handler.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")


def test_an_answer_in_pieces_is_read_as_one() -> None:
    body = answer(series("kafka_consumergroup_members", (5, "3")))

    with serving(lambda handler: chunked([body[:7], body[7:]], handler)) as address, asking(address) as metrics:
        assert metrics.group_samples("g", ["t"]).members == ((5, 3),)
        assert metrics.group_samples("g", ["t"]).members == ((5, 3),)


def test_a_packed_answer_is_unpacked() -> None:
    body = gzip.compress(answer(series("kafka_consumergroup_members", (5, "3"))))

    def reply(handler: Handler) -> None:
        chunked([body], handler, Content_Encoding="gzip")

    with serving(reply) as address, asking(address) as metrics:
        assert metrics.group_samples("g", ["t"]).members == ((5, 3),)


@pytest.mark.parametrize("packed", [False, True])
def test_an_endless_answer_is_given_up(*, packed: bool) -> None:
    piece = b" " * 1024 * 1024
    sent: list[int] = []

    def reply(handler: Handler) -> None:
        if packed:
            chunked([gzip.compress(piece * 32)], handler, Content_Encoding="gzip")
            return
        handler.send_response(200)
        handler.send_header("Connection", "close")
        handler.end_headers()
        sent.extend(map(handler.wfile.write, repeat(piece)))

    assert problem_with(reply, seconds=30) == f"Prometheus' answer is longer than {MOST_BYTES} bytes."
    assert sum(sent) < 2 * MOST_BYTES


def test_after_a_failure_the_next_question_is_answered() -> None:
    replies = iter([replying(503, b""), replying(200, answer(series("kafka_consumergroup_members", (5, "3"))))])

    def reply(handler: Handler) -> None:
        next(replies)(handler)

    with serving(reply) as address, asking(address) as metrics:
        with pytest.raises(MetricsUnavailable):
            metrics.group_samples("g", ["t"])
        assert metrics.group_samples("g", ["t"]).members == ((5, 3),)


def test_the_environments_proxy_isnt_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")

    assert samples_of(series("kafka_consumergroup_members", (5, "3"))).members == ((5, 3),)
