import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorbuster.infra.cache.entries import Entry, Undecodable, pack, unpack


@given(st.integers(0, 2**53), st.binary(max_size=50))
def test_what_was_packed_comes_back(version: int, body: bytes) -> None:
    assert unpack(pack(Entry(version=version, body=body))) == Entry(version=version, body=body)


@pytest.mark.parametrize(
    "raw",
    [b"", b"1", b"1 2", b"0 2 {}", b"2 2 {}", b"1 -2 {}", b"1  {}", b"1 x {}", b"\xff", b"1 " + b"9" * 5000 + b" {}"],
)
def test_anything_else_is_undecodable(raw: bytes) -> None:
    with pytest.raises(Undecodable):
        unpack(raw)


@given(st.binary(max_size=50))
def test_no_bytes_raise_anything_else(raw: bytes) -> None:
    try:
        entry = unpack(raw)
    except Undecodable:
        return
    assert entry.version >= 0
