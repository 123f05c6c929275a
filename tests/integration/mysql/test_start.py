import logging
from pathlib import Path

import pymysql
import pytest

from tests.integration.mysql.deployment import CONTAINER, DATABASE, GROUP_NAME, PASSWORDS, SCRIPTS, MySqlDeployment
from tests.integration.pods import ContainerPlan, Pod, PodNetwork
from tests.integration.polling import seconds_until

pytestmark = pytest.mark.integration

log = logging.getLogger(__name__)

START_SECONDS = 180
CHECK_SECONDS = 60


def test_new_volumes_form_a_group_led_by_ordinal_zero(three: MySqlDeployment) -> None:
    log.info("first start %.1f s", three.until_healthy(START_SECONDS))

    assert three.primary_ordinal() == 0
    for ordinal in range(3):
        # Nothing that a member did on its own before it was in the group counts as a transaction.
        sources = three.administer(ordinal, "SELECT @@gtid_executed").replace("\n", "").split(",")
        assert {source.partition(":")[0] for source in sources} == {GROUP_NAME}
        registered = three.administer(ordinal, "SELECT COUNT(DISTINCT server_uuid) FROM doorbuster_group.volume")
        assert registered == "3"


def test_a_first_start_that_was_killed_in_the_middle_begins_again(three: MySqlDeployment) -> None:
    three.until_said(0, "starts the group", START_SECONDS)
    for pod in three.pods:
        pod.kill()

    for pod in three.pods:
        pod.start()

    three.until_healthy(START_SECONDS)


def test_a_single_member_serves_by_itself_and_again_after_it_was_killed(single: MySqlDeployment) -> None:
    single.until_healthy(START_SECONDS)
    with single.session(0) as cursor:
        cursor.execute("CREATE TABLE doorbuster.kept (id INT PRIMARY KEY)")
        cursor.execute("INSERT INTO doorbuster.kept VALUES (7)")

    single.pods[0].kill()
    single.pods[0].start()
    single.until_healthy(START_SECONDS)

    with single.session(0) as cursor:
        cursor.execute("SELECT id FROM doorbuster.kept")
        assert cursor.fetchall() == ((7,),)


def test_the_applications_account_may_do_everything_in_its_database_and_nothing_elsewhere(
    single: MySqlDeployment,
) -> None:
    single.until_healthy(START_SECONDS)

    with single.session(0) as cursor:
        cursor.execute("CREATE TABLE doorbuster.allowed (id INT PRIMARY KEY)")
        with pytest.raises(pymysql.OperationalError, match="denied"):
            cursor.execute("SELECT * FROM mysql.user")
        with pytest.raises(pymysql.OperationalError, match="denied"):
            cursor.execute("CREATE DATABASE elsewhere")


def test_the_probe_tells_a_member_that_serves(single: MySqlDeployment) -> None:
    single.until_healthy(START_SECONDS)

    assert single.pods[0].execute(CONTAINER, "bash", "/scripts/probe.sh", "ready") == ""
    assert single.pods[0].execute(CONTAINER, "bash", "/scripts/probe.sh", "alive") == ""
    single.administer(0, "SET GLOBAL offline_mode = ON")
    with pytest.raises(AssertionError, match="this member is online, offline mode 1"):
        single.pods[0].execute(CONTAINER, "bash", "/scripts/probe.sh", "ready")


def test_the_check_of_helm_test_finds_the_primary_and_its_row_on_every_member(
    three: MySqlDeployment, network: PodNetwork, mysql_secrets: Path
) -> None:
    three.until_healthy(START_SECONDS)
    members = " ".join(pod.name for pod in three.pods)
    client = Pod(
        name="checks",
        address=network.address(9),
        network=network,
        image=three.pods[0].image,
        user=three.pods[0].user,
        plans={
            "check": ContainerPlan(
                command=["bash", "/scripts/mysql.sh"],
                environment={"MYSQL_MEMBERS": members, "MYSQL_DATABASE": DATABASE},
                mounts={SCRIPTS.parent / "checks": "/scripts", mysql_secrets: "/secrets"},
                writable=["/tmp"],
            )
        },
    )
    try:
        client.create()
        seconds_until(lambda: client.exit_code("check") is not None, within_seconds=CHECK_SECONDS, what="an end")

        assert client.exit_code("check") == 0, client.logs("check")
        assert [f"{pod.name} has the row" in client.logs("check") for pod in three.pods] == [True] * 3
    finally:
        client.remove()


def test_no_password_is_in_the_list_of_processes_or_the_log(single: MySqlDeployment) -> None:
    single.until_healthy(START_SECONDS)

    processes = single.pods[0].execute(CONTAINER, "bash", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
    for account, password in PASSWORDS.items():
        assert password not in processes, account
        assert password not in single.pods[0].logs(CONTAINER), account
