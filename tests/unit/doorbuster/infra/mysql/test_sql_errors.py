import pytest
from sqlalchemy.exc import DBAPIError

from doorbuster.infra.mysql.sql_errors import Fault, fault_of, number_of, sqlstate_of, surely_not_committed


class DriverError(Exception):
    """Looks like asyncmy's."""

    def __init__(self, *args: object, sqlstate: str | None = None) -> None:
        super().__init__(*args)
        self.sqlstate = sqlstate


def error(number: int, sqlstate: str | None = None, words: str = "") -> DBAPIError:
    return DBAPIError("SELECT 1", None, DriverError(number, words, sqlstate=sqlstate))


@pytest.mark.parametrize(
    ("number", "sqlstate", "fault"),
    [
        (1048, "23000", Fault.DATA_REFUSED),
        (1062, "23000", Fault.DATA_REFUSED),
        (1264, "22003", Fault.DATA_REFUSED),
        (1366, "HY000", Fault.DATA_REFUSED),
        (1406, "22001", Fault.DATA_REFUSED),
        (3819, "HY000", Fault.DATA_REFUSED),
        (1205, "HY000", Fault.CONFLICT),
        (1213, "40001", Fault.CONFLICT),
        (0, None, Fault.PRIMARY_LOST),
        (1053, "08S01", Fault.PRIMARY_LOST),
        (1290, "HY000", Fault.PRIMARY_LOST),
        (1836, "HY000", Fault.PRIMARY_LOST),
        (2003, None, Fault.PRIMARY_LOST),
        (2006, None, Fault.PRIMARY_LOST),
        (2013, None, Fault.PRIMARY_LOST),
        (3032, "HY000", Fault.PRIMARY_LOST),
        (3100, "HY000", Fault.PRIMARY_LOST),
        (3101, "40000", Fault.PRIMARY_LOST),
        (1040, "08004", Fault.OTHER),
        (1364, "HY000", Fault.OTHER),
        (1064, "42000", Fault.OTHER),
        (1146, "42S02", Fault.OTHER),
        (3024, "HY000", Fault.OTHER),
        (9999, "HY000", Fault.OTHER),
    ],
)
def test_only_classes_22_and_23_and_two_numbers_are_poison(number: int, sqlstate: str | None, fault: Fault) -> None:
    assert fault_of(error(number, sqlstate)) is fault


@pytest.mark.parametrize("key", ["processed_messages.PRIMARY", "idempotency_keys.PRIMARY"])
def test_a_processed_id_or_key_that_another_stored_meanwhile_is_no_poison(key: str) -> None:
    assert fault_of(error(1062, "23000", f"Duplicate entry 'x' for key '{key}'")) is Fault.REPEATED


def test_any_other_duplicate_is_poison() -> None:
    assert fault_of(error(1062, "23000", "Duplicate entry 'x' for key 'orders.PRIMARY'")) is Fault.DATA_REFUSED


def test_an_error_without_a_number_is_trouble_with_the_connection() -> None:
    confused = DBAPIError("SELECT 1", None, DriverError("Packet sequence number wrong"))

    assert fault_of(confused) is Fault.PRIMARY_LOST
    assert not surely_not_committed(confused)
    assert number_of(confused) is None
    assert sqlstate_of(confused) is None


@pytest.mark.parametrize("number", [0, 2006])
def test_a_commit_on_a_connection_that_was_closed_before_was_never_sent(number: int) -> None:
    assert surely_not_committed(error(number))


@pytest.mark.parametrize("number", [1205, 1213, 1290, 1836])
def test_a_commit_that_the_server_did_not_begin_wrote_nothing(number: int) -> None:
    assert surely_not_committed(error(number))


@pytest.mark.parametrize("number", [1053, 1180, 2013, 3032, 3100, 3101, 9999])
def test_after_any_other_error_of_a_commit_nobody_knows(number: int) -> None:
    assert not surely_not_committed(error(number))
