import io
import json
import logging
import os
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from doorbuster_operator.handlers import logs


@pytest.fixture
def stream() -> Iterator[io.BytesIO]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield io.BytesIO()
    structlog.reset_defaults()
    root.handlers, root.level = handlers, level


def lines(stream: io.BytesIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_json_and_begins_with_time_level_and_event(stream: io.BytesIO) -> None:
    logs.configure("INFO", stream)

    structlog.get_logger().info("scaled", scaler="stock", after=4, path=logging)

    (line,) = lines(stream)
    assert list(line)[:3] == ["time", "level", "event"]
    assert (line["level"], line["event"], line["scaler"], line["after"]) == ("info", "scaled", "stock", 4)


def test_an_error_brings_its_traceback(stream: io.BytesIO) -> None:
    logs.configure("INFO", stream)

    try:
        os.environ["NOTHING_THERE"]
    except LookupError:
        structlog.get_logger().exception("crashed")

    assert "KeyError: 'NOTHING_THERE'" in lines(stream)[0]["exception"]


def test_libraries_are_heard_from_warning_on(stream: io.BytesIO) -> None:
    logs.configure("DEBUG", stream)

    logging.getLogger("kopf.objects").info("each object that it saw")
    logging.getLogger("kopf.objects").warning("something that matters")

    (line,) = lines(stream)
    assert (line["event"], line["logger"], line["message"]) == ("library_log", "kopf.objects", "something that matters")
