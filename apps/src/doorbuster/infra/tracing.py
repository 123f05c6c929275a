"""The trace that a piece of work belongs to: W3C trace context, taken from a caller or made here.

The id stands in every log line and every problem document, and goes on in the headers of messages.
"""

import re
import secrets
from contextvars import ContextVar, Token

HEADER = "traceparent"
# W3C trace context, 3.2: version, trace id, parent id, flags; other versions may add fields, which we don't read.
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")
_LONGEST = 128

_trace_id: ContextVar[str | None] = ContextVar("trace_id", default=None)


def current_trace_id() -> str | None:
    """Return the trace's id, 32 hexadecimal digits; None outside of any trace."""
    return _trace_id.get()


def enter_trace(traceparent: str | None) -> Token[str | None]:
    """Make the caller's trace this task's, or a new one where the header is missing or malformed.

    Returns:
        What `leave_trace` takes to restore the trace from before.
    """
    return _trace_id.set(trace_id_of(traceparent) or secrets.token_hex(16))


def leave_trace(token: Token[str | None]) -> None:
    """Restore the trace from before `enter_trace`."""
    _trace_id.reset(token)


def trace_id_of(traceparent: str | None) -> str | None:
    """Return the trace's id in a `traceparent` header; None if it is missing or malformed."""
    if traceparent is None or len(traceparent) > _LONGEST:
        return None
    match = _TRACEPARENT.fullmatch(traceparent)
    return match.group(1) if match else None


def traceparent() -> str | None:
    """Return the header that hands this task's trace on; None outside of any trace.

    The flags say that nothing is sampled: the id joins log lines, no spans are recorded.
    """
    trace_id = _trace_id.get()
    return None if trace_id is None else f"00-{trace_id}-{secrets.token_hex(8)}-00"
