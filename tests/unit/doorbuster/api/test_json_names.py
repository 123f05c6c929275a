import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ConfigDict
from starlette.requests import Request
from starlette.types import Message

from doorbuster.api.commands import read_body
from doorbuster.api.errors import LONGEST_FIELD
from doorbuster.api.json_names import repeated_name
from doorbuster.api.problems import ProblemRaised
from doorbuster.api.schemas import Command

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


def test_of_thousands_of_names_the_last_one_is_compared_with_all() -> None:
    names = [f"a{number}" for number in range(9_000)]
    raw = "{" + ",".join(f'"{name}":1' for name in [*names, names[-1]]) + "}"

    assert repeated_name(raw.encode()) == names[-1]


class Loose(Command):
    """Takes any names, as none of ours does."""

    model_config = ConfigDict(extra="allow")


async def test_a_long_name_is_shown_by_its_beginning() -> None:
    name = "a" * 30_000

    async def receive() -> Message:
        return {"type": "http.request", "body": f'{{"{name}": 1, "{name}": 2}}'.encode()}

    request = Request({"type": "http", "headers": [(b"content-type", b"application/json")]}, receive)
    with pytest.raises(ProblemRaised) as raised:
        await read_body(request, Loose)

    assert [error.field for error in raised.value.problem.errors] == [name[:LONGEST_FIELD]]
