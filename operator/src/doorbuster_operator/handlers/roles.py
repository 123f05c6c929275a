"""What the loop needs from others: where the scalers are, who looks at one, who counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from doorbuster_operator.reconcilers.objects import Manifest


class ScalerObjects(Protocol):
    """The ConsumerScalers of one namespace."""

    def list_objects(self) -> Sequence[Manifest]:
        """Return all of them as the API server has them now.

        Raises:
            ClusterUnavailable: it isn't known, or there is no such kind yet; never an empty answer instead.
        """


class Reconciler(Protocol):
    """Looks at one scaler and does what is to be done; in one namespace."""

    def reconcile(self, manifest: Manifest, *, rival: str = "") -> None:
        """Observe, decide, act and report; one scaler in one thread at a time.

        Args:
            manifest: the scaler.
            rival: an older scaler with the same target, which acts instead; empty when there is none.
        """

    def forget(self, name: str) -> None:
        """Drop what is remembered and measured about a scaler that is gone."""


class Measures(Protocol):
    """What is counted about the loop."""

    def tick_ended(self, seconds: float) -> None:
        """A tick has ended after so long."""

    def failed(self, call: str) -> None:
        """A call failed, was given up, or couldn't be made."""

    def leads(self, *, held: bool) -> None:
        """Whether this operator may act."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Namespace:
    """A namespace with what is needed to look at its scalers."""

    name: str
    objects: ScalerObjects
    reconciler: Reconciler
