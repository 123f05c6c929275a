import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from doorbuster.infra import tracing
from doorbuster.infra.logging import configure


@pytest.fixture
def stream() -> Iterator[io.BytesIO]:
    stream = io.BytesIO()
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield stream
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


def lines(stream: io.BytesIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_has_time_level_event_and_trace(stream: io.BytesIO) -> None:
    configure("INFO", stream)
    token = tracing.enter_trace(None)
    trace_id = tracing.current_trace_id()

    structlog.get_logger().info("batch_committed", records=3)
    tracing.leave_trace(token)

    (line,) = lines(stream)
    assert list(line)[:3] == ["time", "level", "event"]
    assert line["time"].endswith("Z")
    assert (line["level"], line["event"], line["records"], line["trace_id"]) == ("info", "batch_committed", 3, trace_id)


def test_what_libraries_log_comes_out_as_json(stream: io.BytesIO) -> None:
    configure("INFO", stream)

    logging.getLogger("some.library").warning("slow: %s", 7)

    (line,) = lines(stream)
    assert (line["event"], line["logger"], line["message"]) == ("library_log", "some.library", "slow: 7")


def test_less_severe_lines_are_dropped(stream: io.BytesIO) -> None:
    configure("WARNING", stream)

    structlog.get_logger().info("batch_committed")
    logging.getLogger("some.library").info("hello")

    assert lines(stream) == []


def test_requests_of_the_http_client_are_not_logged(stream: io.BytesIO) -> None:
    configure("INFO", stream)

    logging.getLogger("httpx").info("GET with a secret in its query")

    assert lines(stream) == []


def test_each_attempt_to_reach_a_broker_is_not_logged(stream: io.BytesIO) -> None:
    configure("INFO", stream)

    logging.getLogger("aiokafka.client").error("Unable connect to node with id 0")
    logging.getLogger("aiokafka.conn").error("an error that nobody expects")

    assert [line["message"] for line in lines(stream)] == ["an error that nobody expects"]


def test_secrets_are_not_written(stream: io.BytesIO) -> None:
    configure("INFO", stream)

    structlog.get_logger().info("token_refused", token="abc", authorization="Bearer abc")

    assert b"abc" not in stream.getvalue()


def test_an_exception_is_one_line_without_local_values(stream: io.BytesIO) -> None:
    configure("INFO", stream)
    local_secret = "hunter" + "2"

    try:
        len(local_secret[100])
    except IndexError:
        structlog.get_logger().exception("request_failed")

    (line,) = lines(stream)
    assert "IndexError" in line["exception"]
    assert b"hunter2" not in stream.getvalue()


def test_values_of_any_type_can_be_logged(stream: io.BytesIO) -> None:
    configure("INFO", stream)

    structlog.get_logger().info("odd_value", value=object)

    assert lines(stream)[0]["value"] == str(object)


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no log level 'LOUD'"):
        configure("LOUD")
