"""The condition for giving a topic more partitions: nothing waits anywhere (P12).

With another number of partitions groups are given their partitions anew, and what goes by key goes elsewhere. Nothing
would be lost, but a change of topics is no moment to find out.
"""

import asyncio
from collections.abc import Sequence

from confluent_kafka.admin import AdminClient

from doorbuster.contracts.topics import READ_BY
from doorbuster.infra.kafka.groups import ConsumerGroups
from doorbuster.infra.kafka.lag import KafkaState, group_state, read_state
from doorbuster.infra.kafka.topics_admin import TopicPlan, TopicsDiffer, partition_counts
from doorbuster.infra.mysql.database_lock import Readings
from doorbuster.infra.outbox.outbox_backlog import measure

# A topic that was made a moment ago has partitions without a leader, and a group that is being removed doesn't answer.
QUESTIONS = 20
SECONDS_BETWEEN_QUESTIONS = 0.5


async def refuse_growth_while_anything_waits(
    database: Readings, admin: AdminClient, groups: ConsumerGroups, wanted: Sequence[TopicPlan]
) -> None:
    """Do nothing when no topic grows, or when nothing waits.

    Raises:
        TopicsDiffer: a topic would grow, and messages wait in the outbox or in a topic, or that isn't known after 10 s.
        NotAccepted: MySQL or Kafka doesn't answer.
    """
    present = await partition_counts(admin)
    if not any(plan.partitions > present.get(plan.name, plan.partitions) for plan in wanted):
        return
    async with database.reading() as connection:
        rows = (await measure(connection)).rows
    problems = [f"{rows} messages wait in the outbox"] if rows else []
    problems += _waiting(await _whole_state(admin, groups))
    if problems:
        raise TopicsDiffer("topics may only get more partitions while nothing waits: " + "; ".join(problems))


async def _whole_state(admin: AdminClient, groups: ConsumerGroups) -> KafkaState:
    """Return the first answer in which nothing is missing, or the last one."""
    state = await read_state(admin, groups)
    for _ in range(QUESTIONS - 1):
        if state.complete:
            break
        await asyncio.sleep(SECONDS_BETWEEN_QUESTIONS)
        state = await read_state(admin, groups)
    return state


def _waiting(state: KafkaState) -> list[str]:
    if not state.complete:
        return [f"Kafka didn't say how much waits in its topics ({state.unanswered[0]})"]
    problems = []
    for group in READ_BY:
        known = state.groups.get(group) or group_state(group, members=0, committed={}, partitions=state.partitions)
        lag = sum(known.lag.values())
        if lag:
            problems.append(f"{lag} records wait for {group}")
    return problems
