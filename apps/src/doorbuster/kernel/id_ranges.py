"""Ids as a person writes many of them: `1-1000,5`."""

import re
from collections.abc import Sequence

from doorbuster.kernel.errors import DoorbusterError

_PART = re.compile(r"([0-9]{1,16})(?:-([0-9]{1,16}))?")


class NotARange(DoorbusterError):
    """The text doesn't name ids."""


def parse_id_ranges(text: str) -> Sequence[range]:
    """Return the ids as ranges in the order of the text, which may overlap.

    Raises:
        NotARange: a part is no positive id and no two of them, the smaller one first.
    """
    return tuple(_range(part.strip()) for part in text.split(","))


def _range(part: str) -> range:
    found = _PART.fullmatch(part)
    if found is None:
        raise NotARange(f"{part!r} is no id, and no range of ids as 1-1000")
    first, last = int(found[1]), int(found[2] or found[1])
    if not 1 <= first <= last:
        raise NotARange(f"{part!r}: ids begin with 1, and a range with its smaller end")
    return range(first, last + 1)
