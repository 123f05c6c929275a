import pytest

from doorbuster.kernel.id_ranges import NotARange, parse_id_ranges


@pytest.mark.parametrize(
    ("text", "ranges"),
    [
        ("5", [range(5, 6)]),
        ("1-1000,5", [range(1, 1001), range(5, 6)]),
        (" 2, 4-4", [range(2, 3), range(4, 5)]),
    ],
)
def test_ids_and_ranges_are_read_in_their_order(text: str, ranges: list[range]) -> None:
    assert list(parse_id_ranges(text)) == ranges


@pytest.mark.parametrize("text", ["", ",", "1,", "0", "0-3", "3-1", "-1", "1-", "a", "1-2-3", "1.5", "9" * 17, "१"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(NotARange):
        parse_id_ranges(text)
