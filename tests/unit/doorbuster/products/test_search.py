import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorbuster.products.search import end_of_prefix

LAST = "\U0010ffff"
# As utf8mb4 holds them: no surrogates. With many neighbours and ends, where mistakes are.
LETTERS = st.one_of(
    st.sampled_from(["a", "b", "%", "_", "é", "가", "\ud7ff", "\ue000", LAST]), st.characters(codec="utf-8")
)
TEXTS = st.text(LETTERS, max_size=6)


@pytest.mark.parametrize(
    ("prefix", "end"),
    [
        ("a", "b"),
        ("%", "&"),
        ("_", "`"),
        ("é", "ê"),
        ("가", "각"),
        ("a\ud7ff", "a\ue000"),
        (f"a{LAST}", "b"),
        (f"a{LAST}{LAST}", "b"),
        (LAST, None),
        ("", None),
    ],
)
def test_the_end_is_the_next_text_of_no_greater_length(prefix: str, end: str | None) -> None:
    assert end_of_prefix(prefix) == end


@given(TEXTS, TEXTS)
def test_a_text_is_in_the_range_exactly_if_it_begins_so(prefix: str, text: str) -> None:
    end = end_of_prefix(prefix)
    # By bytes, as the database compares.
    within = prefix.encode() <= text.encode() and (end is None or text.encode() < end.encode())

    assert within == text.startswith(prefix)


@given(TEXTS, TEXTS)
def test_what_begins_so_is_in_the_range(prefix: str, rest: str) -> None:
    end = end_of_prefix(prefix)

    assert prefix <= prefix + rest
    assert end is None or (prefix + rest).encode() < end.encode()
