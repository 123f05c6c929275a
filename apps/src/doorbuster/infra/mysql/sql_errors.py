"""What an error of MySQL means for a transaction (R2, R7): pure, by error number and SQLSTATE.

Numbers from 2000 to 2999, and 0, come from the client's side of the connection; all others from the server.
"""

from enum import StrEnum

from sqlalchemy.exc import DBAPIError

from doorbuster.infra.mysql.tables import idempotency_keys, processed_messages


class Fault(StrEnum):
    """What kind of thing went wrong; only `DATA_REFUSED` is poison (R7)."""

    DATA_REFUSED = "data-refused"
    """The values can never be stored."""
    CONFLICT = "conflict"
    """A deadlock or a lock that didn't come in time; R8 says that there are none."""
    REPEATED = "repeated"
    """Another transaction stored the same processed id or idempotency key meanwhile: read again."""
    PRIMARY_LOST = "primary-lost"
    """The connection is dead, or its server may not write any more: look for the primary again."""
    OTHER = "other"
    """Anything else that the server answered; the connection is fine."""


LOCK_WAIT_TIMEOUT = 1205
DEADLOCK = 1213
CONFLICTS = frozenset({LOCK_WAIT_TIMEOUT, DEADLOCK})

DUPLICATE_KEY = 1062

NOT_CONNECTED = 0
SERVER_GONE = 2006
# asyncmy says so before it writes a byte: the connection was closed already.
NOT_SENT = frozenset({NOT_CONNECTED, SERVER_GONE})

READ_ONLY = 1290
READ_ONLY_MODE = 1836
CANNOT_CONNECT = 2003
CONNECTION_LOST = 2013
PRIMARY_LOST = NOT_SENT | {
    1053,  # the server shuts down
    READ_ONLY,
    READ_ONLY_MODE,
    CANNOT_CONNECT,
    CONNECTION_LOST,
    3032,  # offline mode: the server has left its group
    3100,  # a hook of group replication failed
    3101,  # group replication rolled the transaction back
}

# What the server answers before it begins to commit. Everything else that follows a COMMIT is unknown, also 3100 and
# 3101: a primary that was expelled rolls back at home what the others may have received from it and apply.
REFUSED_COMMIT = CONFLICTS | {READ_ONLY, READ_ONLY_MODE}

_POISON_CLASSES = ("22", "23")
# Refusals of values to which the server gives the general SQLSTATE HY000, as seen on MySQL 9.7.4. This list is closed:
# any other number without a class of its own is transient.
CHECK_VIOLATED = 3819
INCORRECT_VALUE = 1366
REFUSED_VALUES = frozenset({CHECK_VIOLATED, INCORRECT_VALUE})
_REPEATABLE_KEYS = tuple(f"'{table.name}.PRIMARY'" for table in (processed_messages, idempotency_keys))


def fault_of(error: DBAPIError) -> Fault:
    """Return what an error means while statements run, before COMMIT."""
    number = number_of(error)
    if number is None or number in PRIMARY_LOST:
        return Fault.PRIMARY_LOST
    if number in CONFLICTS:
        return Fault.CONFLICT
    if number == DUPLICATE_KEY and any(key in str(error.orig) for key in _REPEATABLE_KEYS):
        return Fault.REPEATED
    if number in REFUSED_VALUES or (sqlstate_of(error) or "")[:2] in _POISON_CLASSES:
        return Fault.DATA_REFUSED
    return Fault.OTHER


def surely_not_committed(error: DBAPIError) -> bool:
    """Tell whether nothing was written, from the error that a COMMIT ended with (R2)."""
    return number_of(error) in NOT_SENT | REFUSED_COMMIT


def number_of(error: DBAPIError) -> int | None:
    """Return the error's number; None where the driver gave none, which is trouble with the protocol."""
    first = error.orig.args[0] if error.orig is not None and error.orig.args else None
    return first if isinstance(first, int) else None


def sqlstate_of(error: DBAPIError) -> str | None:
    """Return the five characters that the server sent; None for an error of the client's side."""
    state = getattr(error.orig, "sqlstate", None)
    return state if isinstance(state, str) else None
