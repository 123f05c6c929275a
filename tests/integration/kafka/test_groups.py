"""What is read about consumer groups while a node is gone: nothing untrue, and everything again before it is back."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence

import pytest

from doorbuster.infra.kafka.groups import ConsumerGroups, KnownGroups
from doorbuster.kernel.errors import BrokerUnavailable
from doorbuster.settings import KafkaSettings
from tests.integration.commits import commit_for
from tests.integration.kafka.cluster import KafkaCluster

pytestmark = pytest.mark.integration

TOPIC = "groups"
PARTITIONS = 3
# Enough that each node coordinates some of them.
GROUPS = tuple(f"group-{number}" for number in range(12))
# The dead node's session (18 s), and the loading of its groups by the other two.
MOVED_SECONDS = 60
BETWEEN_SECONDS = 0.2
# A connection, its greeting, and two requests, of which the last one may hang.
LONGEST_SECONDS = 10


def offsets_of(group: str) -> Mapping[tuple[str, int], int]:
    return {(TOPIC, each): GROUPS.index(group) + 1 for each in range(PARTITIONS)}


async def read_until(groups: ConsumerGroups, reached: Callable[[KnownGroups], bool]) -> Sequence[KnownGroups]:
    """Return all readings up to the first one of which `reached` holds."""
    readings: list[KnownGroups] = []
    deadline = time.monotonic() + MOVED_SECONDS
    while time.monotonic() < deadline:
        readings.append(await reading(groups))
        if reached(readings[-1]):
            return readings
        await asyncio.sleep(BETWEEN_SECONDS)
    raise AssertionError(f"after {MOVED_SECONDS} s: {readings[-1]}")


def complete(known: KnownGroups) -> bool:
    return not known.unanswered and known.groups.keys() >= set(GROUPS)


def incomplete(known: KnownGroups) -> bool:
    return bool(known.unanswered)


async def reading(groups: ConsumerGroups) -> KnownGroups:
    began = time.monotonic()
    try:
        return await groups.read()
    except BrokerUnavailable as exc:
        return KnownGroups(groups={}, unanswered=[str(exc)])
    finally:
        assert time.monotonic() - began < LONGEST_SECONDS


async def keep_asking(offsets: ConsumerGroups, stop: asyncio.Event) -> Sequence[str]:
    """Ask for all groups at once, again and again; return the groups that were told untruly."""
    wrong: list[str] = []
    while not stop.is_set():
        outcomes = await asyncio.gather(*(offsets.committed(each) for each in GROUPS), return_exceptions=True)
        for group, outcome in zip(GROUPS, outcomes, strict=True):
            if isinstance(outcome, BaseException) and not isinstance(outcome, BrokerUnavailable):
                raise outcome
            if not isinstance(outcome, BaseException) and outcome != offsets_of(group):
                wrong.append(f"{group}: {outcome}")
    return wrong


async def test_groups_are_read_while_a_node_is_gone_and_after_it_came_back(three: KafkaCluster) -> None:
    three.create_topic(TOPIC, partitions=PARTITIONS)
    settings = KafkaSettings(servers=three.settings()["bootstrap.servers"])
    for group in GROUPS:
        commit_for(settings.servers, group, offsets_of(group))
    asked, beside = ConsumerGroups(settings), ConsumerGroups(settings)
    stop = asyncio.Event()
    try:
        before = await read_until(asked, complete)
        asking = asyncio.create_task(keep_asking(beside, stop))
        # In a thread, so that questions are on their way when the node goes.
        missed = asyncio.create_task(read_until(asked, incomplete))
        await asyncio.to_thread(three.pods[1].kill)
        moved = [*await missed, *await read_until(asked, complete)]
        told = await asyncio.gather(*(beside.committed(each) for each in GROUPS))
        three.pods[1].start()
        await asyncio.to_thread(three.until_complete, 120)
        after = await read_until(asked, complete)
        stop.set()
        wrong = await asking
    finally:
        await asked.close()
        await beside.close()

    assert wrong == []
    assert told == [offsets_of(group) for group in GROUPS]
    for known in (*before, *moved, *after):
        for name in known.groups.keys() & set(GROUPS):
            assert known.groups[name].committed == offsets_of(name)
            assert known.groups[name].members == 0
