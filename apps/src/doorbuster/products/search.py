"""Search by the beginning of a name, as a range of names: it reads an index, and has nothing to escape.

Names compare by their code points, as the collation `utf8mb4_0900_bin` does: `a` isn't `A`, and a space counts.
"""

from dataclasses import dataclass

from doorbuster.kernel.ids import ProductId

LONGEST_NAME = 200
_LAST = 0x10FFFF
# Between them is no character.
_FIRST_SURROGATE, _BEHIND_SURROGATES = 0xD800, 0xE000


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A place among products in the order of their names; the id decides between equal names."""

    name: str
    id: ProductId


def end_of_prefix(prefix: str) -> str | None:
    """Return the least text that is greater than each text with this beginning; None if there is no such text."""
    rest = prefix.rstrip(chr(_LAST))
    if not rest:
        return None
    successor = ord(rest[-1]) + 1
    if successor == _FIRST_SURROGATE:
        successor = _BEHIND_SURROGATES
    return rest[:-1] + chr(successor)
