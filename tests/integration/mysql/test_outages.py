import logging

import pytest

from tests.integration.mysql.deployment import CONTAINER, MySqlDeployment
from tests.integration.mysql.witness import Witness

pytestmark = pytest.mark.integration

log = logging.getLogger(__name__)

START_SECONDS = 180
# A suspicion after 5 s, 20 s until the expulsion (member-expel-timeout), the election.
FAILOVER_SECONDS = 60
# Crash recovery, the expulsion of the former self, the missing transactions.
RETURN_SECONDS = 120
WRITES = 200


def test_acknowledged_rows_survive_the_death_of_the_primary_which_returns_as_secondary(group: MySqlDeployment) -> None:
    group.until_healthy(START_SECONDS)
    former = group.primary_ordinal()

    with Witness(group) as witness:
        witness.until_acknowledged(WRITES, 60)
        group.pods[former].kill()
        group.pods[former].start()
        log.info("failover after %.1f s", group.until_serving(FAILOVER_SECONDS, other_than=former))
        witness.until_acknowledged(WRITES, 60)
    log.info("returned after %.1f s", group.until_healthy(RETURN_SECONDS))

    assert group.primary_ordinal() != former
    assert [witness.missing_on(ordinal) for ordinal in range(3)] == [frozenset()] * 3


def test_a_group_that_was_killed_as_a_whole_returns_with_all_acknowledged_rows(group: MySqlDeployment) -> None:
    group.until_healthy(START_SECONDS)

    with Witness(group) as witness:
        witness.until_acknowledged(WRITES, 60)
        for pod in group.pods:
            pod.kill()
    for pod in group.pods:
        pod.start()
    log.info("total restart %.1f s", group.until_healthy(RETURN_SECONDS))

    assert [witness.missing_on(ordinal) for ordinal in range(3)] == [frozenset()] * 3


def test_what_a_member_had_received_but_not_applied_is_applied_before_it_is_compared(group: MySqlDeployment) -> None:
    group.until_healthy(START_SECONDS)
    late = next(ordinal for ordinal in range(3) if ordinal != group.primary_ordinal())
    before = group.said_so_far(late)

    with Witness(group) as witness:
        # Commits wait on this member, while it goes on receiving.
        group.administer_in_background(late, "FLUSH TABLES WITH READ LOCK; DO SLEEP(60)")
        witness.until_acknowledged(WRITES, 60)
        for pod in group.pods:
            pod.kill()
    for pod in group.pods:
        pod.start()
    group.until_healthy(RETURN_SECONDS)

    group.until_said(late, "applies what it received before it stopped", START_SECONDS, after=before)
    assert [witness.missing_on(ordinal) for ordinal in range(3)] == [frozenset()] * 3


def test_a_group_that_was_stopped_in_order_returns(group: MySqlDeployment) -> None:
    group.until_healthy(START_SECONDS)
    with Witness(group) as witness:
        witness.until_acknowledged(WRITES, 60)

    for pod in group.pods:
        pod.stop_container(CONTAINER)
    assert [pod.exit_code(CONTAINER) for pod in group.pods] == [0, 0, 0]
    for pod in group.pods:
        pod.start()
    group.until_healthy(RETURN_SECONDS)

    assert [witness.missing_on(ordinal) for ordinal in range(3)] == [frozenset()] * 3


def test_a_primary_that_is_cut_off_is_replaced_and_comes_back(group: MySqlDeployment) -> None:
    group.until_healthy(START_SECONDS)
    former = group.primary_ordinal()

    with Witness(group) as witness:
        witness.until_acknowledged(WRITES, 60)
        group.pods[former].isolate()
        log.info("failover after %.1f s", group.until_serving(FAILOVER_SECONDS, other_than=former))
        group.until_closed(former, FAILOVER_SECONDS)
        group.pods[former].rejoin()
    log.info("returned after %.1f s", group.until_healthy(RETURN_SECONDS))

    assert [witness.missing_on(ordinal) for ordinal in range(3)] == [frozenset()] * 3


def test_a_member_whose_mates_died_stops_serving_until_one_returns(group: MySqlDeployment) -> None:
    group.until_healthy(START_SECONDS)
    primary = group.primary_ordinal()
    others = [ordinal for ordinal in range(3) if ordinal != primary]

    for ordinal in others:
        group.pods[ordinal].kill()
    log.info("closed after %.1f s", group.until_closed(primary, FAILOVER_SECONDS))
    for ordinal in others:
        group.pods[ordinal].start()

    log.info("returned after %.1f s", group.until_healthy(RETURN_SECONDS))
