"""Asks a server of a test over HTTP, and leaves no connection behind."""

import ssl
import urllib.error
import urllib.request


def fetched(url: str, *, within_seconds: float, context: ssl.SSLContext | None = None) -> bytes:
    """Return what a server answers with success.

    Raises:
        OSError: it answered with a refusal (`urllib.error.HTTPError`), or not at all.
    """
    try:
        with urllib.request.urlopen(url, timeout=within_seconds, context=context) as answer:  # noqa: S310  # our own
            return bytes(answer.read())
    except urllib.error.HTTPError as refusal:
        # It keeps its connection until it is collected, and that is a warning in whichever test runs then.
        refusal.close()
        raise
