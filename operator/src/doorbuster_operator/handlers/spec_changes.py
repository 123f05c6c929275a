"""Which events of the watch tell of something new: most are about statuses that the operator itself has written."""


class SpecChanges:
    """The generation of each object's spec that was seen last."""

    def __init__(self) -> None:
        """Know of no object."""
        self._seen: dict[str, int] = {}

    def is_new(self, *, uid: str, generation: int, deleted: bool) -> bool:
        """Whether the object is new, gone, or has another spec than before.

        Args:
            uid: of the object.
            generation: which the API server raises with each change of the spec.
            deleted: whether the event says that it is gone.
        """
        if deleted:
            return self._seen.pop(uid, None) is not None
        before = self._seen.get(uid)
        self._seen[uid] = generation
        return before != generation
