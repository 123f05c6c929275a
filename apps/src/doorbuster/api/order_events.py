"""A stream of one's own order as server-sent events, until it is final (R5).

Not the library's streaming response: that one has no bound in time, waits for ever for a reader that doesn't read, and
doesn't know that the process ends. An event holds the whole state, so a reader that missed some has lost nothing, and
its id names the state, so that nothing needs to be remembered for one who comes back.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from enum import StrEnum

import structlog
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from doorbuster.api.order_documents import event_document
from doorbuster.api.problems import Code, Problem, problem_response
from doorbuster.infra.batches.watched_reads import TooManyWatches, Watched
from doorbuster.infra.telemetry import ORDER_STREAMS, ORDER_STREAMS_ENDED
from doorbuster.kernel.errors import Overloaded
from doorbuster.orders.model import Order, OrderStatus

MEDIA_TYPE = "text/event-stream"
LONGEST_SECONDS = 300.0
# Less than what proxies give a connection that is silent.
HEARTBEAT_SECONDS = 15.0
# A stream is some kilobytes in all; who can't take an event within this time isn't there.
SEND_SECONDS = 5.0
COMPENSATED = "COMPENSATED"
DISCOUNTED = "PENDING-DISCOUNTED"
_HEARTBEAT = b": nothing new\n\n"
_RECONNECT = b"retry: 3000\n\n"
_TOO_MANY = Problem(
    status=503,
    code=Code.TOO_MANY_STREAMS,
    detail="Too many streams are open here. Ask for the order itself now and then instead.",
    headers={"Retry-After": "5"},
)
_ENDING = Problem(status=503, code=Code.OVERLOADED, detail="This process is ending; connect again.")

log = structlog.get_logger()


class End(StrEnum):
    """Why a stream ended; the values of a metric's label."""

    FINAL = "final"
    TIME = "time"
    SLOW = "slow"
    """The reader didn't take an event in time."""
    LEFT = "left"
    """The client went away."""
    SHUTDOWN = "shutdown"


def state_of(order: Order) -> str:
    """Return the name of an order's state, which is also the id of its event."""
    if order.compensated_at is not None:
        return COMPENSATED
    # The one change that leaves the status as it is: its coupon was redeemed.
    if order.status is OrderStatus.PENDING and order.discount > 0:
        return DISCOUNTED
    return order.status.value


def is_settled(order: Order) -> bool:
    """Tell whether nothing about the order will change any more."""
    return order.status is OrderStatus.PAID or order.compensated_at is not None


class OrderEvents(Response):
    """The answer that goes on while the order does."""

    media_type = MEDIA_TYPE

    def __init__(
        self,
        order: Order,
        watching: Callable[[], AbstractContextManager[Watched[Order]]],
        *,
        seen: str | None,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
        longest_seconds: float = LONGEST_SECONDS,
        send_seconds: float = SEND_SECONDS,
    ) -> None:
        """Begin with the order as it is now.

        Args:
            order: the order.
            watching: gives the watch over the order.
            seen: the state that the reader says it has seen; None if it says nothing.
            heartbeat_seconds: after so long without an event a comment is sent.
            longest_seconds: so long a stream is at most.
            send_seconds: so long the reader has to take something.
        """
        super().__init__(headers={"X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._order = order
        self._watching = watching
        self._seen = seen
        self._heartbeat_seconds = heartbeat_seconds
        self._longest_seconds = longest_seconds
        self._send_seconds = send_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the stream."""
        try:
            with self._watching() as watched, ORDER_STREAMS.track_inprogress():
                end = await self._until_it_ends(watched, receive, send)
        except TooManyWatches:
            await problem_response(_TOO_MANY)(scope, receive, send)
        except Overloaded:
            await problem_response(_ENDING)(scope, receive, send)
        else:
            ORDER_STREAMS_ENDED.labels(end.value).inc()
            log.debug("order_stream_ended", reason=end.value)

    async def _until_it_ends(self, watched: Watched[Order], receive: Receive, send: Send) -> End:
        streaming = asyncio.ensure_future(self._stream(watched, send))
        leaving = asyncio.ensure_future(_left(receive))
        try:
            await asyncio.wait({streaming, leaving}, return_when=asyncio.FIRST_COMPLETED)
            return await streaming if streaming.done() else End.LEFT
        finally:
            # Both are awaited, so that neither outlives the request.
            for task in (streaming, leaving):
                task.cancel()
            await asyncio.gather(streaming, leaving, return_exceptions=True)

    async def _stream(self, watched: Watched[Order], send: Send) -> End:
        try:
            await self._sent(send({"type": "http.response.start", "status": 200, "headers": self.raw_headers}))
            end = await self._events(watched, send)
            await self._sent(send({"type": "http.response.body", "body": b"", "more_body": False}))
        except TimeoutError:
            # The answer stays unfinished, so the server drops the connection.
            return End.SLOW
        return end

    async def _events(self, watched: Watched[Order], send: Send) -> End:
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + self._longest_seconds
        order = self._order
        await self._chunk(send, _RECONNECT)
        if state_of(order) != self._seen:
            await self._chunk(send, _event(order))
        while not is_settled(order):
            left = ends_at - loop.time()
            if left <= 0:
                return End.TIME
            changed = await watched.changed(at_most_seconds=min(left, self._heartbeat_seconds))
            if changed is not None:
                order = changed
                await self._chunk(send, _event(order))
            elif watched.ended:
                return End.SHUTDOWN
            else:
                await self._chunk(send, _HEARTBEAT)
        return End.FINAL

    async def _chunk(self, send: Send, body: bytes) -> None:
        await self._sent(send({"type": "http.response.body", "body": body, "more_body": True}))

    async def _sent(self, sending: Awaitable[None]) -> None:
        async with asyncio.timeout(self._send_seconds):
            await sending


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _event(order: Order) -> bytes:
    # The document is one line: JSON has no line ends outside of texts, and escapes those inside.
    return f"event: order\nid: {state_of(order)}\ndata: {event_document(order).model_dump_json()}\n\n".encode()
