"""Brings the tables to the form of this release: Alembic over PyMySQL, on the primary."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pymysql
from alembic import command
from alembic.config import Config
from pymysql.cursors import Cursor
from sqlalchemy import URL, Connection, NullPool, create_engine

from doorbuster.kernel.errors import PrimaryUnavailable
from doorbuster.settings import MySqlSettings

# Beside `src` in the repository and in the image.
FOLDER = Path(__file__).parents[4] / "migrations"
NEWEST = "head"
NOTHING = "base"
# A member answers for itself: what others call it, a client's network need not know.
_OWN_ROLE = """
    SELECT MEMBER_STATE, MEMBER_ROLE FROM performance_schema.replication_group_members
    WHERE MEMBER_ID = @@server_uuid OR MEMBER_HOST = ''
"""
# Not allowed to read that table, no such table: a managed server.
_NO_GROUP_HERE = frozenset({1142, 1146})
# A change of a large table takes long; the job that runs this has a deadline of its own.
_STATEMENT_SECONDS = 280


def migrate(settings: MySqlSettings, *, revision: str = NEWEST, folder: Path = FOLDER) -> None:
    """Upgrade to `revision`; a database that has it already stays as it is.

    Raises:
        PrimaryUnavailable: no host of the settings is the primary and answers.
    """
    with connected(settings) as connection:
        command.upgrade(_configuration(connection, folder), revision)


def migrate_back(settings: MySqlSettings, *, revision: str = NOTHING, folder: Path = FOLDER) -> None:
    """Downgrade to `revision`, which may drop tables with all that is in them.

    Raises:
        PrimaryUnavailable: no host of the settings is the primary and answers.
    """
    with connected(settings) as connection:
        command.downgrade(_configuration(connection, folder), revision)


@contextmanager
def connected(settings: MySqlSettings) -> Iterator[Connection]:
    """Give a connection to the primary; what is done on it is committed at the end.

    Raises:
        PrimaryUnavailable: no host of the settings is the primary and answers.
    """
    engine = create_engine(
        _address(settings, primary_host(settings)), poolclass=NullPool, connect_args=_limits(settings)
    )
    with engine.begin() as connection:
        yield connection


def primary_host(settings: MySqlSettings) -> str:
    """Return the host that says it's the primary, or that is in no group and writable (a managed server).

    Raises:
        PrimaryUnavailable: none of the hosts is; the message says what each of them answered.
    """
    answers = []
    for host in settings.hosts:
        answer = _what_it_is(settings, host)
        if answer == "primary":
            return host
        answers.append(f"{host}: {answer}")
    raise PrimaryUnavailable("; ".join(answers))


def _what_it_is(settings: MySqlSettings, host: str) -> str:
    try:
        connection = pymysql.connect(
            host=host,
            port=settings.port,
            user=settings.user,
            password=settings.password.get_secret_value(),
            database=settings.database,
            connect_timeout=max(1, round(settings.connect_seconds)),
            read_timeout=settings.transaction_seconds,
        )
        with connection, connection.cursor() as cursor:
            rows = _own_role(cursor)
            cursor.execute("SELECT @@super_read_only")
            ((read_only,),) = cursor.fetchall()
    except pymysql.MySQLError as error:
        return str(error)
    if read_only:
        return "not writable"
    return "primary" if not rows or rows == (("ONLINE", "PRIMARY"),) else f"{rows[0][0]} {rows[0][1]}".strip()


def _own_role(cursor: Cursor) -> tuple[tuple[str, str], ...]:
    try:
        cursor.execute(_OWN_ROLE)
    except pymysql.MySQLError as error:
        if error.args[:1] and error.args[0] in _NO_GROUP_HERE:
            return ()
        raise
    return tuple((str(state), str(role)) for state, role in cursor.fetchall())


def _address(settings: MySqlSettings, host: str) -> URL:
    return URL.create(
        "mysql+pymysql",
        username=settings.user,
        password=settings.password.get_secret_value(),
        host=host,
        port=settings.port,
        database=settings.database,
        query={"charset": "utf8mb4"},
    )


def _limits(settings: MySqlSettings) -> dict[str, float]:
    return {"connect_timeout": max(1, round(settings.connect_seconds)), "read_timeout": _STATEMENT_SECONDS}


def _configuration(connection: Connection, folder: Path) -> Config:
    configuration = Config()
    configuration.set_main_option("script_location", str(folder).replace("%", "%%"))
    configuration.attributes["connection"] = connection
    return configuration
