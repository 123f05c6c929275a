"""JSON log lines on standard output: time, level, event, trace_id and what the event is about.

Events are constant snake_case facts. Libraries that log through the standard library come out as `library_log`. Values
under names of secrets are never written.
"""

import logging
import sys
from typing import BinaryIO

import msgspec
import structlog
from structlog.typing import EventDict, WrappedLogger

from doorbuster.infra.tracing import current_trace_id

SECRET_NAMES = frozenset(
    {"authorization", "cookie", "password", "secret", "token", "access_token", "private_key", "idempotency_key"}
)
HIDDEN = "hidden"
# They log each request with its full address, or say at INFO what we say ourselves.
_QUIET_LIBRARIES = ("httpx", "httpcore", "asyncio", "uvicorn.access", "uvicorn.error")
# It logs each attempt to reach a broker as an error, several a second; whoever asked says once what that means.
_SILENT_LIBRARY = "aiokafka.client"


def configure(level: str, stream: BinaryIO | None = None) -> None:
    """Send all logs of this process to standard output as JSON lines.

    Args:
        level: the least severe level that is written, like INFO.
        stream: where to write instead of standard output.

    Raises:
        ValueError: no level has this name.
    """
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None:
        raise ValueError(f"there is no log level {level!r}; use DEBUG, INFO, WARNING or ERROR")
    structlog.configure(
        processors=[
            _add_trace_id,
            _hide_secrets,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            structlog.processors.format_exc_info,
            _render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.BytesLoggerFactory(stream or sys.stdout.buffer),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=number, handlers=[_ToStructlog()], force=True)
    for name in _QUIET_LIBRARIES:
        logging.getLogger(name).setLevel(max(number, logging.WARNING))
    logging.getLogger(_SILENT_LIBRARY).setLevel(logging.CRITICAL)


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


def _add_trace_id(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    trace_id = current_trace_id()
    if trace_id is not None:
        event.setdefault("trace_id", trace_id)
    return event


def _hide_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    for name in event.keys() & SECRET_NAMES:
        event[name] = HIDDEN
    return event


def _render(_logger: WrappedLogger, _method: str, event: EventDict) -> bytes:
    first = {name: event.pop(name) for name in ("time", "level", "event") if name in event}
    return msgspec.json.encode({**first, **event}, enc_hook=str)
