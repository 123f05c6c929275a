"""The partner's HTTP interface."""

import asyncio
from collections.abc import Mapping
from typing import Self

import httpx

from doorbuster.kernel.ids import OrderId

# R11: a partner that is slower than this is treated as failing; the key makes a repetition harmless.
ATTEMPT_SECONDS = 2.0
CONNECTIONS = 16


class HttpPartner:
    """Posts orders' data to an address, with the order's id as the Idempotency-Key."""

    def __init__(
        self,
        address: str,
        transport: httpx.AsyncBaseTransport | None = None,
        *,
        attempt_seconds: float = ATTEMPT_SECONDS,
    ) -> None:
        """Open nothing yet.

        Args:
            address: the URL that takes orders.
            transport: what carries requests; None means the network.
            attempt_seconds: longest time of an attempt.
        """
        self._address = address
        self._attempt_seconds = attempt_seconds
        self._client = httpx.AsyncClient(
            timeout=attempt_seconds,
            limits=httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS),
            transport=transport,
            # What the environment names is for the rest of the world.
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        """Use it."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close its connections."""
        await self._client.aclose()

    async def deliver(self, order_id: OrderId, payload: Mapping[str, object]) -> str | None:
        """Hand over an order's data; return what went wrong, or None.

        Any answer but 2xx is a failure, and one that isn't there as a whole after `attempt_seconds`.
        """
        try:
            # The client's own limit begins anew with each byte; a partner that drips would hold the sender for ever.
            async with asyncio.timeout(self._attempt_seconds):
                answer = await self._client.post(
                    self._address, json=dict(payload), headers={"Idempotency-Key": str(order_id)}
                )
        except TimeoutError:
            return f"TimeoutError: no answer within {self._attempt_seconds} s"
        except httpx.HTTPError as exc:
            return f"{type(exc).__name__}: {exc}"
        return None if answer.is_success else f"HTTP {answer.status_code}"
