"""What is kept for how long, against each other (R12)."""

from datetime import timedelta

import pytest

from doorbuster.infra.kafka.topics_admin import RETENTION
from doorbuster.infra.outbox.retention import PROCESSED_IDS_KEPT, PUBLISHED_KEPT, within_bytes
from doorbuster.orders.watch import WatchPolicy


def test_processed_ids_outlive_the_messages_that_they_stand_for() -> None:
    # A message that is read again after its id was forgotten would have its effect a second time.
    assert PROCESSED_IDS_KEPT > RETENTION


def test_published_messages_outlive_the_sagas_that_the_watch_looks_for_them() -> None:
    assert WatchPolicy().deadline + timedelta(hours=1) < PUBLISHED_KEPT


@pytest.mark.parametrize(
    ("sizes", "together"), [([], 0), ([0, 0, 0], 3), ([4, 4, 2, 1], 3), ([4, 7, 1], 1), ([99, 1], 1)]
)
def test_a_deletion_ends_before_it_has_too_many_bytes_and_has_one_row_at_least(sizes: list[int], together: int) -> None:
    found = [("group", number, size) for number, size in enumerate(sizes)]

    assert within_bytes(found, most=10) == [("group", number) for number in range(together)]
