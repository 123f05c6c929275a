"""How `Scalers` write statuses and post Events."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pytest

from doorbuster_operator.ports import ClusterUnavailable, Json, Scalers

NAME = "stock"
DECISION: Json = {
    "at": "2026-11-25T22:10:05Z", "before": 1, "after": 4, "reason": "ScaleOut", "message": "More are needed."
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenEvent:
    """An Event as a person sees it."""

    about: str
    reason: str
    message: str
    warning: bool


class ScalersScene(Protocol):
    """A namespace of a test's own."""

    @property
    def scalers(self) -> Scalers:
        """What is tested."""

    def make(self, name: str) -> str:
        """Make a scaler without a status; return its uid."""

    def status(self, name: str) -> Mapping[str, Any]:
        """Return a scaler's status."""

    def events(self) -> Sequence[SeenEvent]:
        """Return all Events."""


class ScalersContract:
    """Derive from this class with a fixture `scene`."""

    @pytest.fixture
    @abstractmethod
    def scene(self) -> ScalersScene:
        """What the tests look at."""

    def test_fields_are_written(self, scene: ScalersScene) -> None:
        scene.make(NAME)

        scene.scalers.write_status(NAME, {"replicas": 3, "reason": "Steady", "decisions": [DECISION]})

        assert scene.status(NAME) == {"replicas": 3, "reason": "Steady", "decisions": [DECISION]}

    def test_a_field_that_is_null_is_removed_and_one_that_isnt_named_stays(self, scene: ScalersScene) -> None:
        scene.make(NAME)
        capacity: Json = {"recordsPerSecond": 33, "source": "Measured", "podTemplate": "abc"}
        scene.scalers.write_status(NAME, {"replicas": 3, "lag": 4, "capacity": capacity})

        scene.scalers.write_status(NAME, {"lag": None, "capacity": {"source": "Hint", "podTemplate": None}})

        assert scene.status(NAME) == {"replicas": 3, "capacity": {"recordsPerSecond": 33, "source": "Hint"}}

    def test_a_list_is_replaced_as_a_whole(self, scene: ScalersScene) -> None:
        scene.make(NAME)
        scene.scalers.write_status(NAME, {"decisions": [DECISION, DECISION]})

        scene.scalers.write_status(NAME, {"decisions": [DECISION]})

        assert scene.status(NAME) == {"decisions": [DECISION]}

    def test_a_scaler_that_isnt_there_has_no_status(self, scene: ScalersScene) -> None:
        with pytest.raises(ClusterUnavailable):
            scene.scalers.write_status("nobody", {"replicas": 3})

    @pytest.mark.parametrize("warning", [False, True])
    def test_events_are_about_the_object(self, scene: ScalersScene, *, warning: bool) -> None:
        uid = scene.make(NAME)

        scene.scalers.post_event(NAME, uid, reason="ScaleOut", message="Scaled from 1 to 4.", warning=warning)

        assert scene.events() == [
            SeenEvent(about=uid, reason="ScaleOut", message="Scaled from 1 to 4.", warning=warning)
        ]
