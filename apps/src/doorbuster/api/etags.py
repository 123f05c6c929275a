"""Entity tags: whether a client has the newest bytes already (RFC 9110, 8.8.3 and 13.1.2)."""

import re

# Weak ones too: for a question, only what stands in the quotes counts.
_TAG = re.compile(r'(?:W/)?("[!#-~\x80-\xff]*")')


def etag_of(form: str, version: int) -> str:
    """Return the strong tag of bytes that are made of this version of a row, in this form."""
    return f'"{form}.{version}"'


def matches(if_none_match: str | None, etag: str) -> bool:
    """Tell whether a client says in `If-None-Match` that it has these bytes."""
    if if_none_match is None:
        return False
    return if_none_match.strip() == "*" or etag in _TAG.findall(if_none_match)
