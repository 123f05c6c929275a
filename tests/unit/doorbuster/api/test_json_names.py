import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorbuster.api.json_names import repeated_name

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(VALUES)
def test_objects_whose_names_differ_repeat_none(value: object) -> None:
    assert repeated_name(json.dumps(value).encode()) is None


@given(VALUES, VALUES, st.text())
def test_a_name_that_stands_twice_is_found_wherever_it_is(first: object, second: object, name: str) -> None:
    key = json.dumps(name)
    inner = f"{{{key}: {json.dumps(first)}, {key}: {json.dumps(second)}}}"

    assert repeated_name(inner.encode()) == name
    assert repeated_name(f'{{"a": [1, {inner}], "b": 2}}'.encode()) == name


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (b'{"amount": 1, "\\u0061mount": 2}', "amount"),
        (b'{"a": 1, "b": {"a": 1}}', None),
        (b'[{"a": 1}, {"a": 1}]', None),
        (b'{"a": 1, "A": 1}', None),
        ('{"é": 1, "é": 2}'.encode(), "é"),
        (b"{" + b",".join([b'"a": 1'] * 7_000) + b"}", "a"),
    ],
)
def test_names_are_compared_as_they_are_meant(raw: bytes, name: str | None) -> None:
    assert repeated_name(raw) == name
