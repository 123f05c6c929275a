import logging

import pymysql
import pytest

from tests.integration.mysql.deployment import CONTAINER, MySqlDeployment
from tests.integration.mysql.witness import Witness
from tests.integration.polling import seconds_until

pytestmark = pytest.mark.integration

log = logging.getLogger(__name__)

START_SECONDS = 180
RETURN_SECONDS = 180
WRITES = 200
# Long enough for several decisions, which are a second apart.
SAID_SECONDS = 60


def replace_volume(deployment: MySqlDeployment, ordinal: int) -> None:
    """The member leaves in order: the group needs half a minute to notice a death."""
    deployment.pods[ordinal].stop_container(CONTAINER)
    deployment.pods[ordinal].empty_volume()
    deployment.pods[ordinal].start()


def write_outside_of_the_group(deployment: MySqlDeployment, ordinal: int, database: str) -> None:
    """What only a person with the root password can do; the member's scripts close the server again every second."""
    statements = f"STOP GROUP_REPLICATION; SET GLOBAL super_read_only = OFF; CREATE DATABASE IF NOT EXISTS {database}"
    seconds_until(
        lambda: deployment.administer(ordinal, statements) == "", within_seconds=SAID_SECONDS, what="a foreign write"
    )


def forget_binary_logs(deployment: MySqlDeployment, ordinal: int) -> None:
    deployment.administer(ordinal, "FLUSH BINARY LOGS")
    current = deployment.administer(ordinal, "SHOW BINARY LOG STATUS").split("\t")[0]
    deployment.administer(ordinal, f"PURGE BINARY LOGS TO '{current}'")


def test_a_lost_volume_is_filled_again_by_the_group(group: MySqlDeployment) -> None:
    group.until_healthy(START_SECONDS)

    with Witness(group) as witness:
        witness.until_acknowledged(WRITES, 60)
        replace_volume(group, 2)
        log.info("filled after %.1f s", group.until_healthy(RETURN_SECONDS))
    group.until_healthy(RETURN_SECONDS)

    assert [witness.missing_on(ordinal) for ordinal in range(3)] == [frozenset()] * 3


def test_a_lost_volume_is_cloned_when_the_logs_of_the_group_do_not_reach_back(group: MySqlDeployment) -> None:
    group.until_healthy(START_SECONDS)
    with Witness(group) as witness:
        witness.until_acknowledged(WRITES, 60)
    for ordinal in range(3):
        forget_binary_logs(group, ordinal)

    replace_volume(group, 2)
    log.info("cloned after %.1f s", group.until_healthy(RETURN_SECONDS))

    assert group.administer(2, "SELECT STATE FROM performance_schema.clone_status") == "Completed"
    assert group.administer(2, "SELECT ordinal FROM doorbuster_group.volume WHERE server_uuid = @@server_uuid") == "2"
    assert [witness.missing_on(ordinal) for ordinal in range(3)] == [frozenset()] * 3


def test_a_volume_whose_data_an_unfinished_clone_removed_is_made_anew(group: MySqlDeployment) -> None:
    group.until_healthy(START_SECONDS)
    with Witness(group) as witness:
        witness.until_acknowledged(WRITES, 60)
    secondary = next(ordinal for ordinal in range(3) if ordinal != group.primary_ordinal())
    # A clone removes all schemas but the system's before it copies; a kill in between leaves this.
    group.administer(
        secondary,
        "STOP GROUP_REPLICATION; SET GLOBAL super_read_only = OFF;"
        "SET sql_log_bin = OFF; DROP DATABASE doorbuster_group",
    )

    seconds_until(
        lambda: group.pods[secondary].exit_code(CONTAINER) is not None,
        within_seconds=SAID_SECONDS,
        what="the end of the container, which a kubelet starts again",
    )
    group.pods[secondary].start()
    group.until_healthy(RETURN_SECONDS)

    assert "is set aside as /data/mysql." in group.pods[secondary].logs(CONTAINER)
    assert witness.missing_on(secondary) == frozenset()


def test_a_member_with_foreign_transactions_is_kept_apart_until_its_volume_is_replaced(group: MySqlDeployment) -> None:
    group.until_healthy(START_SECONDS)
    secondary = next(ordinal for ordinal in range(3) if ordinal != group.primary_ordinal())
    before = group.said_so_far(secondary)
    write_outside_of_the_group(group, secondary, "foreign_rows")

    group.until_said(secondary, "quarantine", SAID_SECONDS, after=before)
    group.until_closed(secondary, SAID_SECONDS)
    with pytest.raises(pymysql.OperationalError, match="offline mode"), group.session(secondary):
        pass
    assert group.administer(secondary, "SHOW DATABASES LIKE 'foreign_rows'") == "foreign_rows"
    assert group.administer(group.primary_ordinal(), "SHOW DATABASES LIKE 'foreign_rows'") == ""
    assert group.pods[secondary].exit_code(CONTAINER) is None

    replace_volume(group, secondary)
    group.until_healthy(RETURN_SECONDS)
    assert group.administer(secondary, "SHOW DATABASES LIKE 'foreign_rows'") == ""


def test_without_all_volumes_no_group_is_started_until_the_last_returns(group: MySqlDeployment) -> None:
    group.until_healthy(START_SECONDS)
    with Witness(group) as witness:
        witness.until_acknowledged(WRITES, 60)
    for pod in group.pods:
        pod.kill()

    before = {ordinal: group.said_so_far(ordinal) for ordinal in (1, 2)}
    for ordinal in (1, 2):
        group.pods[ordinal].start()
    for ordinal in (1, 2):
        group.until_said(ordinal, "refuse ordinal 0 doesn't answer", SAID_SECONDS, after=before[ordinal])
    with pytest.raises(LookupError):
        group.primary_ordinal()
    group.pods[0].start()
    group.until_healthy(RETURN_SECONDS)

    assert [witness.missing_on(ordinal) for ordinal in range(3)] == [frozenset()] * 3


def test_a_volume_that_was_lost_while_nobody_served_is_not_taken_for_a_new_member(three: MySqlDeployment) -> None:
    three.until_healthy(START_SECONDS)
    for pod in three.pods:
        pod.kill()
    three.pods[0].empty_volume()

    for pod in three.pods:
        pod.start()

    for ordinal in range(3):
        three.until_said(ordinal, "refuse the volume of ordinal 0 isn't the one that was in the group", SAID_SECONDS)
    with pytest.raises(LookupError):
        three.primary_ordinal()


def test_diverged_volumes_start_no_group(three: MySqlDeployment) -> None:
    three.until_healthy(START_SECONDS)
    for ordinal in (0, 1):
        write_outside_of_the_group(three, ordinal, f"branch_{ordinal}")
    for pod in three.pods:
        pod.kill()

    for pod in three.pods:
        pod.start()

    for ordinal in range(3):
        three.until_said(ordinal, "refuse the members' transactions diverge", SAID_SECONDS)
