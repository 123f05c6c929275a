"""Ids of the grants of seeded users."""

from hypothesis import given
from hypothesis import strategies as st

from doorbuster.bootstrap.ids import id_factory
from doorbuster.kernel.ids import UserId
from doorbuster.points.seed import grant_id

users = st.integers(min_value=1, max_value=2**62 - 1).map(UserId)


@given(user=users, other=users)
def test_grants_have_the_order_of_their_users_and_one_id_each(user: UserId, other: UserId) -> None:
    assert (grant_id(user) < grant_id(other)) is (user < other)
    assert (grant_id(user) == grant_id(other)) is (user == other)


@given(user=users)
def test_a_grants_id_is_valid_and_below_every_id_with_a_time_in_it(user: UserId) -> None:
    assert grant_id(user).version == 8
    assert grant_id(user) < id_factory()()
