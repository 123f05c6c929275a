"""The partner's HTTP interface."""

from collections.abc import Mapping
from typing import Self

import httpx

from doorbuster.kernel.ids import OrderId

# R11: a partner that is slower than this is treated as failing; the key makes a repetition harmless.
ATTEMPT_SECONDS = 2.0
CONNECTIONS = 16


class HttpPartner:
    """Posts orders' data to an address, with the order's id as the Idempotency-Key."""

    def __init__(self, address: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        """Open nothing yet.

        Args:
            address: the URL that takes orders.
            transport: what carries requests; None means the network.
        """
        self._address = address
        self._client = httpx.AsyncClient(
            timeout=ATTEMPT_SECONDS,
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

        Any answer but 2xx is a failure; the whole attempt, headers and body, ends after ATTEMPT_SECONDS a step.
        """
        try:
            answer = await self._client.post(
                self._address, json=dict(payload), headers={"Idempotency-Key": str(order_id)}
            )
        except httpx.HTTPError as exc:
            return f"{type(exc).__name__}: {exc}"
        return None if answer.is_success else f"HTTP {answer.status_code}"
