"""What is kept for how long, against each other (R12)."""

from datetime import timedelta

from doorbuster.infra.kafka.topics_admin import RETENTION
from doorbuster.infra.outbox.retention import PROCESSED_IDS_KEPT, PUBLISHED_KEPT
from doorbuster.orders.watch import WatchPolicy


def test_processed_ids_outlive_the_messages_that_they_stand_for() -> None:
    # A message that is read again after its id was forgotten would have its effect a second time.
    assert PROCESSED_IDS_KEPT > RETENTION


def test_published_messages_outlive_the_sagas_that_the_watch_looks_for_them() -> None:
    assert WatchPolicy().deadline + timedelta(hours=1) < PUBLISHED_KEPT
