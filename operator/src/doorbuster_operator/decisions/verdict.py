"""The outcome of one rule."""

from dataclasses import dataclass

from doorbuster_operator.model.decision_record import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How many replicas there should be.

    Attributes:
        because: the rule's own part of the sentence that a person reads.
    """

    replicas: int
    reason: Reason
    because: str
