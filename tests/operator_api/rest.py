"""The API server's JSON as it is, for tests that compare fields and for the stand-ins of controllers."""

import json
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tests.operator_api.credentials import Credentials

CALL_SECONDS = 10.0

# Objects of Kubernetes; every test reads other fields of them.
Document = dict[str, Any]


class Patch(StrEnum):
    """How a patch is to be understood."""

    MERGE = "application/merge-patch+json"
    STRATEGIC = "application/strategic-merge-patch+json"


class Refused(Exception):
    """The API server refused.

    Attributes:
        status: its HTTP status.
        message: its answer, mostly a Status object in JSON.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status
        self.message = message


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """Calls as the administrator."""

    address: str
    context: ssl.SSLContext

    def get(self, path: str) -> Document:
        """Return what is at a path."""
        return self._call("GET", path)

    def post(self, path: str, document: Document) -> Document:
        """Make an object."""
        return self._call("POST", path, document)

    def patch(self, path: str, document: Document, *, kind: Patch = Patch.MERGE) -> Document:
        """Change some fields."""
        return self._call("PATCH", path, document, content_type=kind.value)

    def delete(self, path: str) -> Document:
        """Delete an object, at once."""
        return self._call("DELETE", f"{path}?gracePeriodSeconds=0")

    def _call(
        self, method: str, path: str, document: Document | None = None, *, content_type: str = "application/json"
    ) -> Document:
        body = None if document is None else json.dumps(document).encode()
        request = urllib.request.Request(  # noqa: S310  # our own address
            f"{self.address}{path}", data=body, method=method, headers={"Content-Type": content_type}
        )
        try:
            with urllib.request.urlopen(request, timeout=CALL_SECONDS, context=self.context) as answer:  # noqa: S310
                found: Document = json.load(answer)
                return found
        except urllib.error.HTTPError as refusal:
            with refusal:
                raise Refused(refusal.code, refusal.read().decode(errors="replace")) from None


def administrator(address: str, credentials: Credentials) -> Rest:
    """Return calls with the administrator's certificate."""
    context = trusting(credentials)
    context.load_cert_chain(credentials.certificate("admin"), credentials.key("admin"))
    return Rest(address=address, context=context)


def trusting(credentials: Credentials) -> ssl.SSLContext:
    """Return what believes the API server and says nothing about who asks."""
    context = ssl.create_default_context(cafile=credentials.authority)
    context.sslsocket_class = _ClosedInTheEnd
    return context


class _ClosedInTheEnd(ssl.SSLSocket):
    """A connection that is reset between `connect` and its handshake: Python 3.11 raises and never closes it."""

    def __del__(self) -> None:
        self.close()
