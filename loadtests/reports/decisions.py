"""What the operator decided in a run, as reports show it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A decision that changed the number of replicas, or gave another reason.

    Attributes:
        seconds: since the run began.
        before: replicas that the target asked for.
        after: replicas that it should ask for.
        reason: the operator's, in its own word.
        message: the arithmetic in a sentence, in the operator's words.
    """

    seconds: float
    before: int
    after: int
    reason: str
    message: str

    @property
    def scaled(self) -> bool:
        """Return whether the number of replicas was changed."""
        return self.before != self.after

    @property
    def observed(self) -> str:
        """Return what was seen: the first part of the message."""
        return self.message.split("; ")[0]

    @property
    def essence(self) -> str:
        """Return what was seen and what followed: the first and the last part of the message, without the numbers."""
        parts = self.message.removesuffix(f": from {self.before} to {self.after}").split("; ")
        return parts[0] if len(parts) == 1 else f"{parts[0]}; {parts[-1]}"
