"""Which of two operators may act."""

from abc import abstractmethod
from typing import Protocol

import pytest

from doorbuster_operator.ports import Leadership


class LeadershipScene(Protocol):
    """One Lease, that nobody has taken yet."""

    def candidate(self, identity: str) -> Leadership:
        """Return an operator's view of it."""


class LeadershipContract:
    """Derive from this class with a fixture `scene`."""

    @pytest.fixture
    @abstractmethod
    def scene(self) -> LeadershipScene:
        """What the tests look at."""

    def test_the_first_that_asks_may_act_and_keeps_it(self, scene: LeadershipScene) -> None:
        one, other = scene.candidate("one"), scene.candidate("other")

        assert [one.held(), other.held(), one.held(), other.held()] == [True, False, True, False]

    def test_what_is_given_back_can_be_taken_at_once(self, scene: LeadershipScene) -> None:
        one, other = scene.candidate("one"), scene.candidate("other")
        assert one.held()

        one.release()

        assert [other.held(), one.held()] == [True, False]

    def test_who_doesnt_have_it_gives_nothing_back(self, scene: LeadershipScene) -> None:
        one, other = scene.candidate("one"), scene.candidate("other")
        assert one.held()

        other.release()

        assert [other.held(), one.held()] == [False, True]

    def test_a_restart_under_the_same_name_has_it_still(self, scene: LeadershipScene) -> None:
        assert scene.candidate("one").held()

        assert scene.candidate("one").held()
