"""One ingress, and connections to it that are kept: a request costs little, so that the machine is left to the shop."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import gevent
from geventhttpclient import HTTPClient
from geventhttpclient.response import HTTPParseError

_JSON = {"Content-Type": "application/json", "Accept": "application/json"}


class NoAnswer(Exception):
    """No whole answer came in time, or the connection broke: what was asked may have been done or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A whole answer.

    Attributes:
        status: its status.
        body: its body.
        retry_after: the header of that name; None if there is none.
    """

    status: int
    body: bytes
    retry_after: str | None


class IngressClient:
    """Asks one ingress, in JSON. Any number of greenlets may use it at once."""

    def __init__(self, base_url: str, *, timeout_seconds: float, connections: int) -> None:
        """Take where and how; nothing is connected yet.

        Args:
            base_url: what URLs begin with.
            timeout_seconds: the most that a whole answer may take.
            connections: the most that are open at once; one more request waits for one, within its time.
        """
        self._timeout_seconds = timeout_seconds
        # The address is asked for as it stands: no proxy of the environment comes between.
        self._http = HTTPClient.from_url(
            base_url,
            concurrency=connections,
            connection_timeout=timeout_seconds,
            network_timeout=timeout_seconds,
        )

    def post(self, path: str, document: Mapping[str, object], *, headers: Mapping[str, str]) -> Answer:
        """Return the answer to a JSON document, whatever its status.

        Raises:
            NoAnswer: there is none. The request is not repeated.
        """
        return self._ask("POST", path, _encoded(document), headers)

    def put(self, path: str, document: Mapping[str, object], *, headers: Mapping[str, str]) -> Answer:
        """Return the answer to a JSON document, whatever its status; raises NoAnswer as `post` does."""
        return self._ask("PUT", path, _encoded(document), headers)

    def get(self, path: str, *, headers: Mapping[str, str]) -> Answer:
        """Return the answer, whatever its status; raises NoAnswer as `post` does."""
        return self._ask("GET", path, b"", headers)

    def _ask(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        try:
            # The client's own limits hold for each step alone, this one for all of them.
            with gevent.Timeout(self._timeout_seconds, NoAnswer("timed out")):
                response = self._http.request(method, path, body=body, headers={**_JSON, **headers})
                content = response.read()
        except (OSError, HTTPParseError) as exc:
            raise NoAnswer(f"{type(exc).__name__}: {exc}") from exc
        retry_after = response.get("Retry-After")
        return Answer(
            status=response.status_code,
            body=content,
            retry_after=retry_after if isinstance(retry_after, str) else None,
        )

    def close(self) -> None:
        """Close the connections that nobody uses at the moment; the others when their answer is there."""
        self._http.close()


def _encoded(document: Mapping[str, object]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
