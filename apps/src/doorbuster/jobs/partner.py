"""A stand-in for the partner that is told about paid orders: local clusters and tests only.

`python -m doorbuster.jobs.partner` takes orders at POST /orders, remembers their keys, and says at GET /counts how many
came and how many came again. It can be slow, fail or hang on purpose: as it is started, or from one moment to the next
by PUT /behaviour.
"""

import asyncio
import random
from collections import OrderedDict
from collections.abc import Callable
from typing import Annotated

import click
import msgspec
import uvicorn
from msgspec import Meta
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from doorbuster.kernel.pausing import pause_until

# Enough for every order of a long demonstration; older keys are forgotten rather than memory filled.
REMEMBERED_KEYS = 500_000
LARGEST_BODY_BYTES = 256 * 1024
GRACE_SECONDS = 5
# Nobody waits for longer, and a stand-in that is forgotten must not collect connections.
LONGEST_HANG_SECONDS = 60.0


class Behaviour(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the partner answers.

    Attributes:
        delay_seconds: how long each answer takes.
        failure_rate: share of requests, 0 to 1, that are refused with 500 before anything is noted.
        hang: whether requests get no answer at all, until this is taken back or LONGEST_HANG_SECONDS are over. What it
            leaves without an answer was noted: the worst that a partner can do.
    """

    delay_seconds: Annotated[float, Meta(ge=0, le=60)] = 0.0
    failure_rate: Annotated[float, Meta(ge=0, le=1)] = 0.0
    hang: bool = False


class Partner:
    """Counts orders by their key."""

    def __init__(self, behaviour: Behaviour, *, chance: Callable[[], float]) -> None:
        """Be slow, fail and hang as told.

        Args:
            behaviour: at first.
            chance: random numbers from 0 to 1.
        """
        self._chance = chance
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._released = asyncio.Event()
        self.behaviour = behaviour
        self.orders = 0
        self.repeated = 0
        self.failed = 0
        self.hung = 0

    async def take(self, request: Request) -> Response:
        """Note one order; 400 without a key, 413 for a body that is too large."""
        key = request.headers.get("Idempotency-Key", "")
        if not key:
            return JSONResponse({"error": "the header Idempotency-Key is missing"}, status_code=400)
        if len(await request.body()) > LARGEST_BODY_BYTES:
            return JSONResponse({"error": "the body is too large"}, status_code=413)
        behaviour = self.behaviour
        await asyncio.sleep(behaviour.delay_seconds)
        if self._chance() < behaviour.failure_rate:
            self.failed += 1
            return JSONResponse({"error": "failing on purpose"}, status_code=500)
        self._note(key)
        if behaviour.hang:
            self.hung += 1
            await pause_until(self._released, at_most_seconds=LONGEST_HANG_SECONDS)
        return Response(status_code=204)

    async def behave(self, request: Request) -> Response:
        """Answer as the body says from now on, and let go of what hangs; 422 for what can't be."""
        try:
            self.behaviour = msgspec.json.decode(await request.body(), type=Behaviour)
        except msgspec.DecodeError as exc:
            return JSONResponse({"error": str(exc)}, status_code=422)
        self._released.set()
        self._released = asyncio.Event()
        return self._behaviour()

    async def show_behaviour(self, _: Request) -> Response:
        """Say how it answers."""
        return self._behaviour()

    async def counts(self, _: Request) -> Response:
        """Say what has come so far."""
        return JSONResponse(
            {"orders": self.orders, "repeated": self.repeated, "failed": self.failed, "hung": self.hung}
        )

    async def alive(self, _: Request) -> Response:
        """Say that the process answers."""
        return Response("ok\n")

    def _behaviour(self) -> Response:
        return Response(msgspec.json.encode(self.behaviour), media_type="application/json")

    def _note(self, key: str) -> None:
        if key in self._seen:
            self.repeated += 1
            return
        self.orders += 1
        self._seen[key] = None
        if len(self._seen) > REMEMBERED_KEYS:
            self._seen.popitem(last=False)


def application(partner: Partner) -> Starlette:
    """Return the partner as an ASGI application."""
    return Starlette(
        routes=[
            Route("/orders", partner.take, methods=["POST"]),
            Route("/counts", partner.counts),
            Route("/behaviour", partner.behave, methods=["PUT"]),
            Route("/behaviour", partner.show_behaviour),
            Route("/livez", partner.alive),
            Route("/readyz", partner.alive),
        ]
    )


@click.command(context_settings={"show_default": True, "auto_envvar_prefix": "DOORBUSTER_PARTNER"})
@click.option("--port", default=8000, help="Port to answer on.")
@click.option("--delay-seconds", type=click.FloatRange(0, 60), default=0.0, help="How long each answer takes.")
@click.option("--failure-rate", type=click.FloatRange(0, 1), default=0.0, help="Share of requests that fail, 0 to 1.")
@click.option("--hang/--no-hang", default=False, help="Give no answer at all.")
def main(*, port: int, delay_seconds: float, failure_rate: float, hang: bool) -> None:
    """Stand in for the partner that is told about paid orders: for local clusters and tests only.

    PUT /behaviour with {"delay_seconds": 3, "failure_rate": 0.5, "hang": false} changes it while it runs; what isn't
    named is off. GET /counts says how many orders came, and how many came again.
    """
    chance = random.Random().random  # noqa: S311  # failures on purpose needn't surprise an attacker
    behaviour = Behaviour(delay_seconds=delay_seconds, failure_rate=failure_rate, hang=hang)
    partner = Partner(behaviour, chance=chance)
    uvicorn.run(
        application(partner),
        host="0.0.0.0",  # noqa: S104  # a pod's address isn't known before
        port=port,
        access_log=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


if __name__ == "__main__":
    main()
