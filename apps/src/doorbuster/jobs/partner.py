"""A stand-in for the partner that is told about paid orders: local clusters and tests only.

`python -m doorbuster.jobs.partner` takes orders at POST /orders, remembers their keys, and says at GET /counts how many
came and how many came again. It can be slow or fail on purpose.
"""

import asyncio
import random
from collections import OrderedDict
from collections.abc import Callable

import click
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

# Enough for every order of a long demonstration; older keys are forgotten rather than memory filled.
REMEMBERED_KEYS = 500_000
LARGEST_BODY_BYTES = 256 * 1024
GRACE_SECONDS = 5


class Partner:
    """Counts orders by their key."""

    def __init__(self, *, delay_seconds: float, failure_rate: float, chance: Callable[[], float]) -> None:
        """Be slow and fail as told.

        Args:
            delay_seconds: how long each answer takes.
            failure_rate: share of requests, 0 to 1, that are refused with 500 before anything is noted.
            chance: random numbers from 0 to 1.
        """
        self._delay_seconds = delay_seconds
        self._failure_rate = failure_rate
        self._chance = chance
        self._seen: OrderedDict[str, None] = OrderedDict()
        self.orders = 0
        self.repeated = 0
        self.failed = 0

    async def take(self, request: Request) -> Response:
        """Note one order; 400 without a key, 413 for a body that is too large."""
        key = request.headers.get("Idempotency-Key", "")
        if not key:
            return JSONResponse({"error": "the header Idempotency-Key is missing"}, status_code=400)
        if len(await request.body()) > LARGEST_BODY_BYTES:
            return JSONResponse({"error": "the body is too large"}, status_code=413)
        await asyncio.sleep(self._delay_seconds)
        if self._chance() < self._failure_rate:
            self.failed += 1
            return JSONResponse({"error": "failing on purpose"}, status_code=500)
        self._note(key)
        return Response(status_code=204)

    async def counts(self, _: Request) -> Response:
        """Say what has come so far."""
        return JSONResponse({"orders": self.orders, "repeated": self.repeated, "failed": self.failed})

    async def alive(self, _: Request) -> Response:
        """Say that the process answers."""
        return Response("ok\n")

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
            Route("/livez", partner.alive),
            Route("/readyz", partner.alive),
        ]
    )


@click.command(context_settings={"show_default": True, "auto_envvar_prefix": "DOORBUSTER_PARTNER"})
@click.option("--port", default=8000, help="Port to answer on.")
@click.option("--delay-seconds", default=0.0, help="How long each answer takes.")
@click.option("--failure-rate", default=0.0, help="Share of requests that fail, 0 to 1.")
def main(port: int, delay_seconds: float, failure_rate: float) -> None:
    """Stand in for the partner that is told about paid orders: for local clusters and tests only."""
    chance = random.Random().random  # noqa: S311  # failures on purpose needn't surprise an attacker
    partner = Partner(delay_seconds=delay_seconds, failure_rate=failure_rate, chance=chance)
    uvicorn.run(
        application(partner),
        host="0.0.0.0",  # noqa: S104  # a pod's address isn't known before
        port=port,
        access_log=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


if __name__ == "__main__":
    main()
