"""Names that stand twice in one object: JSON allows it, and each reader takes another of the two values.

Our parser takes the last. What checked the request on its way may have taken the first, so neither is believed.
"""

import json
from collections.abc import Sequence


class _Repeated(Exception):
    """Ends the reading at once."""


def repeated_name(raw: bytes) -> str | None:
    """Return a name that one of the objects in it has twice; None if there is none.

    Args:
        raw: JSON that was read before, so that it is known not to be nested deeply.
    """
    try:
        _DECODER.decode(raw.decode())
    except _Repeated as exc:
        return str(exc)
    return None


def _distinct(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    # One look at each name: a body has room for thousands, and this holds up everybody else meanwhile.
    found: dict[str, object] = {}
    for name, value in pairs:
        if name in found:
            raise _Repeated(name)
        found[name] = value
    return found


_DECODER = json.JSONDecoder(object_pairs_hook=_distinct)
