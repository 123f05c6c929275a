"""HTTP to Prometheus with ends: of time, of size, of attempts. The client library alone has none of them (P16)."""

import io
import json
import time
from collections.abc import Iterator

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse
from urllib3.exceptions import HTTPError, ReadTimeoutError

from doorbuster_operator.ports import MetricsUnavailable

MOST_BYTES = 16 * 1024 * 1024
"""Twenty times what a group of 12 partitions and 12 consumers needs."""
PIECE_BYTES = 256 * 1024
SHOWN_CHARACTERS = 200


class BoundedAdapter(HTTPAdapter):
    """Asks once, and reads the answer as a whole within one time and one size."""

    def __init__(self, *, seconds: float, most_bytes: int = MOST_BYTES) -> None:
        """Take the limits.

        Args:
            seconds: longest time of a request, from the connection to the last byte.
            most_bytes: longest answer, unpacked.
        """
        super().__init__(max_retries=0)
        self._seconds = seconds
        self._most_bytes = most_bytes

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: FBT001, FBT002  # the library's signature
        timeout: float | tuple[float | None, float | None] | None = None,
        verify: bool | str = True,  # noqa: FBT001, FBT002  # the library's signature
        cert: str | tuple[str, str] | None = None,
        proxies: dict[str, str] | None = None,
    ) -> requests.Response:
        """Return the answer, with its body read; `stream` and `timeout` don't count.

        Raises:
            MetricsUnavailable: there is none in time, it is too long, or it tells of an error.
        """
        deadline = time.monotonic() + self._seconds
        try:
            answer = super().send(
                request, stream=True, timeout=self._seconds, verify=verify, cert=cert, proxies=proxies
            )
            body = self._body(answer, deadline)
        except (requests.Timeout, TimeoutError, ReadTimeoutError) as error:
            raise self._late() from error
        # Their texts hold addresses of objects, so that each would look like another problem.
        except (requests.RequestException, HTTPError, OSError) as error:
            raise MetricsUnavailable("There is no connection to Prometheus, or it broke.") from error
        if answer.status_code != requests.codes.ok:
            raise MetricsUnavailable(f"Prometheus answers with status {answer.status_code}{_said(body)}.")
        answer.raw = io.BytesIO(body)
        return answer

    def _body(self, answer: requests.Response, deadline: float) -> bytes:
        try:
            body = b"".join(self._pieces(answer.raw, deadline))
        except BaseException:
            # What is left of the answer would be taken for the next one.
            answer.close()
            raise
        answer.raw.release_conn()
        return body

    def _pieces(self, raw: HTTPResponse, deadline: float) -> Iterator[bytes]:
        """Yield the body piece by piece: a read of a given size would wait for all of it, however slowly it comes."""
        length = 0
        while piece := raw.read1(PIECE_BYTES, decode_content=True):
            length += len(piece)
            if length > self._most_bytes:
                raise MetricsUnavailable(f"Prometheus' answer is longer than {self._most_bytes} bytes.")
            if time.monotonic() > deadline:
                raise self._late()
            yield piece

    def _late(self) -> MetricsUnavailable:
        return MetricsUnavailable(f"Prometheus doesn't answer within {self._seconds:g} s.")


def _said(body: bytes) -> str:
    """Return what Prometheus says about an error, if it says it in its own form."""
    try:
        said = json.loads(body)["error"]
    except (ValueError, KeyError, TypeError):
        return ""
    return f": {str(said)[:SHOWN_CHARACTERS]}"
