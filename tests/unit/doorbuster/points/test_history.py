from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorbuster.points.history import BadCursor, EntryPosition
from doorbuster.points.model import Entry, EntryKind

ID = UUID("019acd2f-7d7a-7a1e-8cd1-2f1f4d1c9b60")
MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(2286, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # the strategy adds the zone


def test_a_place_is_that_of_its_entry() -> None:
    moment = datetime(2026, 11, 26, 4, 5, 6, 7, tzinfo=UTC)
    entry = Entry(transaction_id=ID, kind=EntryKind.SPEND, account="user:1", amount=-5, created_at=moment)

    assert str(EntryPosition.of(entry)) == "1795665906000007.019acd2f7d7a7a1e8cd12f1f4d1c9b60.spend"


@given(MOMENTS, st.uuids(), st.sampled_from(EntryKind))
def test_a_cursor_says_exactly_where_it_was(moment: datetime, transaction: UUID, kind: EntryKind) -> None:
    place = EntryPosition(created_at=moment, transaction_id=transaction, kind=kind)

    assert EntryPosition.parse(str(place)) == place


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "1",
        f"1.{ID.hex}",
        f"1.{ID.hex}.gift",
        f"1.{ID}.spend",
        f"-1.{ID.hex}.spend",
        f"{10**16}.{ID.hex}.spend",
        f"1.{ID.hex}.spend\n",
        f"1.{ID.hex}.spend.1",
    ],
)
def test_what_no_page_ended_with_is_no_cursor(cursor: str) -> None:
    with pytest.raises(BadCursor):
        EntryPosition.parse(cursor)
