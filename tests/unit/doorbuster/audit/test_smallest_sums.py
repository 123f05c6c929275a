from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from doorbuster.audit.smallest_sums import SmallestSums

ADDED = st.lists(st.tuples(st.integers(1, 60), st.integers(0, 9)), max_size=80)


def in_passes(added: list[tuple[int, int]], *, most: int) -> tuple[dict[int, tuple[int, int]], int]:
    """Add everything up in as many passes as are needed; return the sums, and how many were kept at most."""
    found: dict[int, tuple[int, int]] = {}
    above, kept = 0, 0
    while True:
        sums = SmallestSums(above=above, most=most)
        for product, units in added:
            sums.add(product, units=units, orders=1)
            kept = max(kept, len(sums.units))
        found |= {product: (units, orders) for product, units, orders in sums.left()}
        if sums.upto is None:
            return found, kept
        above = sums.upto


@given(ADDED, st.integers(1, 30))
def test_passes_in_bounded_memory_find_the_same_sums_as_one_without_bounds(
    added: list[tuple[int, int]], most: int
) -> None:
    units, orders = Counter[int](), Counter[int]()
    for product, number in added:
        units[product] += number
        orders[product] += 1

    found, kept = in_passes(added, most=most)

    assert found == {product: (units[product], orders[product]) for product in orders}
    assert kept <= most


def test_what_is_taken_is_not_left_and_sums_of_nothing_are_nobodys() -> None:
    sums = SmallestSums(above=10)
    for product, units in ((11, 3), (12, 4), (11, 2), (13, 0), (10, 9)):
        sums.add(product, units=units)

    assert sums.take(11) == (5, 0)
    assert sums.take(99) == (0, 0)
    assert list(sums.left()) == [(12, 4, 0)]
    assert sums.upto is None
