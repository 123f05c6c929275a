"""The tables that say what the business knows, and their hash: replaying all topics must leave it as it is (R12)."""

import hashlib
from collections.abc import Sequence

from sqlalchemy import Column, Table, select

import doorbuster.coupons.tables
import doorbuster.deliveries.tables
import doorbuster.orders.tables
import doorbuster.points.tables
import doorbuster.products.tables  # noqa: F401  # each adds its tables to the metadata
from doorbuster.infra.mysql.migrations import connected
from doorbuster.infra.mysql.schema import METADATA, Instant
from doorbuster.settings import MySqlSettings

# What carries messages and answers, and grows with each message that is told again.
NO_BUSINESS = frozenset({"outbox", "processed_messages", "idempotency_keys"})
BUSINESS_TABLES: Sequence[str] = sorted(METADATA.tables.keys() - NO_BUSINESS)


def hashes(settings: MySqlSettings) -> dict[str, str]:
    """Return a hash of each business table, all rows in the order of their keys, without points in time."""
    with connected(settings) as connection:
        found = {}
        for name in BUSINESS_TABLES:
            table = METADATA.tables[name]
            digest = hashlib.sha256()
            for row in connection.execute(select(*_columns(table)).order_by(*table.primary_key)):
                digest.update(repr(tuple(row)).encode())
            found[name] = digest.hexdigest()
        return found


def _columns(table: Table) -> Sequence[Column[object]]:
    return [column for column in table.columns if not isinstance(column.type, Instant)]
