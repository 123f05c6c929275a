"""JSON log lines on standard output: time, level, event, and what the event is about.

Events are constant snake_case facts. What libraries log comes out as `library_log`, from WARNING on.
"""

import json
import logging
import sys
from typing import BinaryIO

import structlog
from structlog.typing import EventDict, WrappedLogger

# They tell about each request, or about each object that they watch.
_QUIET_LIBRARIES = ("kopf", "aiohttp", "urllib3", "kubernetes", "asyncio")


def configure(level: str, stream: BinaryIO | None = None) -> None:
    """Send all logs of this process to standard output as JSON lines.

    Args:
        level: the least severe level that is written, like INFO.
        stream: where to write instead of standard output.
    """
    number = logging.getLevelNamesMapping()[level]
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            structlog.processors.format_exc_info,
            _rendered,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.BytesLoggerFactory(stream or sys.stdout.buffer),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=number, handlers=[_ToStructlog()], force=True)
    for name in _QUIET_LIBRARIES:
        logging.getLogger(name).setLevel(max(number, logging.WARNING))


class _ToStructlog(logging.Handler):
    """Takes what libraries log through the standard library."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record as an event of ours."""
        try:
            structlog.get_logger().log(
                record.levelno,
                "library_log",
                logger=record.name,
                message=record.getMessage(),
                exc_info=record.exc_info,
            )
        except Exception:  # noqa: BLE001 - a record that can't be written must not stop what wrote it
            self.handleError(record)


def _rendered(_logger: WrappedLogger, _method: str, event: EventDict) -> bytes:
    first = {name: event.pop(name) for name in ("time", "level", "event") if name in event}
    return json.dumps({**first, **event}, default=str, ensure_ascii=False).encode()
