"""Whether anything was written: a checksum of each table, as the database itself makes it."""

from collections.abc import Mapping

from sqlalchemy import text

from doorbuster.infra.mysql.migrations import connected
from doorbuster.infra.mysql.schema import METADATA
from doorbuster.settings import MySqlSettings


def checksums(settings: MySqlSettings) -> Mapping[str, int]:
    """Return the checksum of all rows of each table; a new connection sees all that was committed."""
    with connected(settings) as connection:
        rows = connection.execute(text(f"CHECKSUM TABLE {', '.join(METADATA.tables)}"))
        return {str(name): int(checksum) for name, checksum in rows}
