import pytest

from doorbuster.infra import tracing

TRACE = "0af7651916cd43dd8448eb211c80319c"


def test_a_callers_trace_is_taken() -> None:
    assert tracing.trace_id_of(f"00-{TRACE}-b7ad6b7169203331-01") == TRACE


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "00-xyz-b7ad6b7169203331-01",
        f"00-{'0' * 32}-b7ad6b7169203331-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff-{TRACE}-b7ad6b7169203331-01",
        f"00-{TRACE}-b7ad6b7169203331-01\n",
        f"00-{TRACE}-b7ad6b7169203331-01-{'x' * 200}",
    ],
)
def test_a_header_that_is_no_trace_is_not_taken(header: str | None) -> None:
    assert tracing.trace_id_of(header) is None


def test_without_a_header_a_trace_is_made() -> None:
    token = tracing.enter_trace(None)
    trace_id, handed_on = tracing.current_trace_id(), tracing.traceparent()
    tracing.leave_trace(token)

    assert trace_id is not None
    assert tracing.trace_id_of(handed_on) == trace_id
    assert tracing.current_trace_id() is None
    assert tracing.traceparent() is None
