"""A user's history of points: where one is in it, as a text that a client hands back."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self
from uuid import UUID

from doorbuster.points.model import Entry, EntryKind

# Microseconds since 1970 (sixteen digits last until 2286), the transaction, the kind.
CURSOR = rf"^[0-9]{{1,16}}\.[0-9a-f]{{32}}\.({'|'.join(EntryKind)})$"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class BadCursor(ValueError):
    """A text that no page ended with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryPosition:
    """A place in a user's entries, which are ordered by time, transaction and kind."""

    created_at: datetime
    transaction_id: UUID
    kind: EntryKind

    @classmethod
    def of(cls, entry: Entry) -> Self:
        """Return the place of an entry."""
        return cls(created_at=entry.created_at, transaction_id=entry.transaction_id, kind=entry.kind)

    @classmethod
    def parse(cls, cursor: str) -> Self:
        """Return the place that `cursor` names.

        Raises:
            BadCursor: it names none.
        """
        if not re.match(CURSOR, cursor):
            raise BadCursor("a cursor is what next_cursor said")
        microseconds, transaction, kind = cursor.split(".")
        try:
            return cls(
                created_at=_EPOCH + int(microseconds) * _MICROSECOND,
                transaction_id=UUID(hex=transaction),
                kind=EntryKind(kind),
            )
        except ValueError as exc:
            raise BadCursor("there is no such kind of entry") from exc

    def __str__(self) -> str:
        """Return the cursor that `parse` reads."""
        return f"{(self.created_at - _EPOCH) // _MICROSECOND}.{self.transaction_id.hex}.{self.kind}"
