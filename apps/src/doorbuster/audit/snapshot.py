"""One consistent snapshot of the shop, and how the auditor reads it: pages of a walk, lists of keys, single statements.

Nothing that it returns is larger than a page, a chunk of keys, or what the caller allows.
"""

from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from sqlalchemy import bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.audit import statements
from doorbuster.audit.checks import Check, Key, Moment, Values, Walk
from doorbuster.audit.model import Finding, Limits
from doorbuster.infra.mysql.transactions import database_time
from doorbuster.kernel.errors import DoorbusterError

# What a look at changes keeps in memory of one kind: 16 bytes each, and Python's share.
MOST_CHANGED = 100_000
CHUNK_KEYS = 2_000


class TooManyChanges(DoorbusterError):
    """More has changed than a look at changes keeps in memory; a full scan doesn't mind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """A condition on keys, and its values; `rows` is how many rows of the walked table it takes in."""

    condition: str
    values: dict[str, Any]  # of several types, as the columns are
    rows: int


class Snapshot:
    """Reads on a connection that is inside one read-only transaction with a consistent snapshot."""

    def __init__(self, connection: AsyncConnection, moment: Moment) -> None:
        """Use `open_snapshot`, which finds out what is needed here."""
        self._connection = connection
        self.moment = moment

    async def check(self, check: Check, scope: Scope) -> list[Finding]:
        """Return what a check says of a scope."""
        found: list[Finding] = []
        for row in await self.rows(check.statement, scope, column=check.column):
            found += check.judge(row, self.moment)
        return found

    async def rows(self, statement: str, scope: Scope, *, column: str, **values: object) -> Sequence[Values]:
        """Return what a statement with a scope finds."""
        limited = statement.replace("{scope}", scope.condition.replace("{column}", column))
        if ":announced_since" in limited:
            values["announced_since"] = naive(self.moment.now - self.moment.limits.kept)
        return await self.ask(limited, **scope.values, **values)

    async def pages(self, walk: Walk, *, after: Key | None = None, upto: Key | None = None) -> AsyncIterator[Scope]:
        """Yield the scopes that cover a table, or what is in it behind `after` and up to `upto`, each a page long."""
        after = walk.first if after is None else after
        end = walk.last if upto is None else upto
        statement = _page_statement(walk, ends=end is not None)
        while True:
            last, rows = (await self.ask(statement, after=after, end=end, page_rows=walk.page_rows))[0]
            if last is None:
                return
            condition = "{column} > :after AND {column} <= :upto"
            yield Scope(condition=condition, values={"after": after, "upto": last}, rows=rows)
            after = last

    async def changed(self, name: str, **values: object) -> set[Any]:  # of the one column, whatever its type
        """Return what `statements.CHANGED` finds under this name.

        Raises:
            TooManyChanges: it finds more than MOST_CHANGED.
        """
        found = await self.ask(statements.CHANGED[name], most=MOST_CHANGED + 1, **values)
        if len(found) > MOST_CHANGED:
            raise TooManyChanges(f"more than {MOST_CHANGED} keys are {name}")
        return {row[0] for row in found}

    async def ask(self, statement: str, **values: object) -> Sequence[Values]:
        """Return what a statement finds; lists of keys are for `IN :keys`."""
        used = {name: value for name, value in values.items() if f":{name}" in statement}
        prepared = text(statement)
        if "keys" in used:
            prepared = prepared.bindparams(bindparam("keys", expanding=True))
        return (await self._connection.execute(prepared, used)).all()


async def open_snapshot(connection: AsyncConnection, limits: Limits) -> Snapshot:
    """Return what reads on this connection, which has begun its transaction."""
    return Snapshot(connection, Moment(now=await database_time(connection), limits=limits))


def keys_in(keys: Collection[Any]) -> Iterator[Scope]:
    """Yield scopes of CHUNK_KEYS keys, ascending."""
    ordered = iter(sorted(keys))
    while chunk := list(islice(ordered, CHUNK_KEYS)):
        yield Scope(condition="{column} IN :keys", values={"keys": chunk}, rows=len(chunk))


def naive(moment: datetime) -> datetime:
    """Return a moment as the database has it: UTC, without saying so."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def _page_statement(walk: Walk, *, ends: bool) -> str:
    # Names of ours, and no values.
    selected = f"SELECT {'DISTINCT ' if walk.distinct else ''}{walk.column} AS walked FROM {walk.source}"  # noqa: S608
    within = f"{walk.column} > :after{f' AND {walk.column} <= :end' if ends else ''}"
    page = f"{selected} WHERE {within} ORDER BY walked LIMIT :page_rows"
    return f"SELECT MAX(walked), COUNT(*) FROM ({page}) AS page"  # noqa: S608
