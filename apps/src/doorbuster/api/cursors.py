"""Cursors of lists of products: a place as text that says nothing to a client."""

import base64

import msgspec

from doorbuster.api.schemas import GREATEST_ID
from doorbuster.kernel.ids import ProductId
from doorbuster.products.search import LONGEST_NAME, Position


class NotACursor(ValueError):
    """The text is no cursor of this list."""


def read_id_cursor(text: str | None) -> ProductId:
    """Return the id that a page begins behind; 0 without a cursor.

    Raises:
        NotACursor: it is none of the list by id.
    """
    if text is None:
        return ProductId(0)
    # Digits of other scripts are numbers to Python, and a long number takes it long.
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(GREATEST_ID)) or int(text) > GREATEST_ID:
        raise NotACursor
    return ProductId(int(text))


def write_position(position: Position) -> str:
    """Return the cursor of a place in the list by name."""
    raw = msgspec.json.encode((position.name, position.id))
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def read_position(text: str | None) -> Position | None:
    """Return the place that a page begins behind; None without a cursor.

    Raises:
        NotACursor: it is none of the list by name.
    """
    if text is None:
        return None
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        name, product_id = msgspec.json.decode(raw, type=tuple[str, int])
    except (ValueError, msgspec.DecodeError) as exc:
        raise NotACursor from exc
    if len(name) > LONGEST_NAME or not 0 <= product_id <= GREATEST_ID:
        raise NotACursor
    return Position(name=name, id=ProductId(product_id))
