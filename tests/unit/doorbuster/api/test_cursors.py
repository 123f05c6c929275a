import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorbuster.api.cursors import NotACursor, read_id_cursor, read_position, write_position
from doorbuster.kernel.ids import ProductId
from doorbuster.products.search import LONGEST_NAME, Position


@given(st.text(st.characters(codec="utf-8"), max_size=LONGEST_NAME), st.integers(1, 2**53))
def test_a_place_comes_back_as_it_was(name: str, product_id: int) -> None:
    position = Position(name=name, id=ProductId(product_id))
    cursor = write_position(position)

    assert read_position(cursor) == position
    assert set(cursor) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def test_the_longest_name_makes_a_cursor_that_the_api_takes() -> None:
    assert len(write_position(Position(name="\U0010ffff" * LONGEST_NAME, id=ProductId(2**53)))) <= 2000


@given(st.text(max_size=40))
def test_any_other_text_is_no_cursor_and_nothing_worse(text: str) -> None:
    for read in (read_position, read_id_cursor):
        try:
            read(text)
        except NotACursor:
            continue


@pytest.mark.parametrize("document", [b'["\\ud800",1]', b'["a",-1]', b'["a",1.5]', b'["a"]', b"[1,1]", b"{}", b"\xff"])
def test_what_is_no_place_is_refused(document: bytes) -> None:
    with pytest.raises(NotACursor):
        read_position(base64.urlsafe_b64encode(document).decode())


def test_without_a_cursor_a_list_begins_at_its_beginning() -> None:
    assert (read_id_cursor(None), read_position(None)) == (0, None)
    assert read_id_cursor("17") == 17
