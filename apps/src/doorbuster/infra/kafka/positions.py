"""Where a member begins in the partitions that it is given: at the group's committed offsets (R10).

librdkafka asks for them itself when an assignment has none, but only once: after a refusal, as a coordinator gives that
has just moved, it fetches nothing of these partitions until the next rebalance, though the member is alive
(<https://github.com/confluentinc/librdkafka/issues/5586>). So they are asked for here, until there is an answer.
"""

import time
from collections.abc import Callable, Sequence

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

# A coordinator that is gone is replaced after 18 s, and the new one first loads its groups. The member is still one
# then; far below the 120 s after which the process would be taken for dead.
PATIENCE_SECONDS = 60.0
REQUEST_SECONDS = 2.0
BETWEEN_SECONDS = 0.2

Note = Callable[[KafkaError], None]


def committed_positions(
    consumer: Consumer,
    partitions: Sequence[TopicPartition],
    note: Note,
    *,
    give_up: Callable[[], bool],
    patience_seconds: float = PATIENCE_SECONDS,
) -> list[TopicPartition] | None:
    """Return the partitions with the offsets to begin at; the oldest where the group has committed nothing.

    Args:
        consumer: a member of the group.
        partitions: what it was given; their offsets don't matter.
        note: is told of each refusal.
        give_up: whether nobody wants to know any more; asked before each question.
        patience_seconds: how long it is asked for.

    Returns:
        None when there is no answer in time, or it was given up.
    """
    if not partitions:
        return []
    deadline = time.monotonic() + patience_seconds
    while not give_up():
        answers, error = _ask(consumer, partitions)
        if error is None:
            return [_from_the_oldest(answer) if answer.offset < 0 else answer for answer in answers]
        note(error)
        if time.monotonic() + BETWEEN_SECONDS > deadline:
            break
        time.sleep(BETWEEN_SECONDS)
    return None


def _ask(
    consumer: Consumer, partitions: Sequence[TopicPartition]
) -> tuple[Sequence[TopicPartition], KafkaError | None]:
    try:
        answers = consumer.committed(list(partitions), timeout=REQUEST_SECONDS)
    except KafkaException as exc:
        return (), exc.args[0]
    return answers, next((answer.error for answer in answers if answer.error is not None), None)


def _from_the_oldest(place: TopicPartition) -> TopicPartition:
    return TopicPartition(place.topic, place.partition, OFFSET_BEGINNING)
