"""Entries are appended and never changed (I8). The database's account may do all; so no statement of ours may."""

import re
from pathlib import Path

import doorbuster

SOURCES = Path(doorbuster.__file__).parent
CHANGES = re.compile(
    r"point_entries\s*\.\s*(update|delete)\b"
    r"|\b(update|delete|write|change|claim)\([^)]*\bpoint_entries\b"
    r"|\b(UPDATE|DELETE FROM|REPLACE INTO|TRUNCATE( TABLE)?)\s+point_entries\b"
)


def test_no_statement_changes_or_deletes_an_entry() -> None:
    found = {path.name for path in SOURCES.rglob("*.py") if CHANGES.search(path.read_text())}

    assert found == set()


def test_it_would_be_found() -> None:
    for statement in (
        "point_entries.delete()",
        "update(point_entries)",
        "rows.write(self._connection, point_entries, entries)",
        "UPDATE point_entries SET amount = 0",
        "DELETE FROM point_entries",
    ):
        assert CHANGES.search(statement) is not None
    assert CHANGES.search("rows.add(self._connection, point_entries, entries)") is None
