"""Statements agree with the checks that use them; what they find is the integration tests' business."""

import re

import pytest

from doorbuster.audit import checks, statements
from doorbuster.audit.checks import Check
from doorbuster.audit.full_scan import CHECKS
from doorbuster.audit.snapshot import CHUNK_KEYS, keys_in

ALL = (*checks.PARTS, *(each for each in vars(checks).values() if isinstance(each, Check)))
WRITES = re.compile(r"\b(INSERT|UPDATE|DELETE|REPLACE|FOR UPDATE|FOR SHARE|LOCK)\b")


@pytest.mark.parametrize("check", ALL, ids=lambda check: str(check.walk.name))
def test_each_statement_reads_one_scope_of_the_column_that_it_is_limited_by(check: Check) -> None:
    assert check.statement.count("{scope}") == 1
    assert set(re.findall(r"\{\w+\}", check.statement)) == {"{scope}"}
    alias = check.column.split(".")[0]
    assert re.search(rf"\b{check.walk.source} AS {alias}\b", check.statement)


def test_no_statement_writes_or_locks() -> None:
    texts = [text for text in vars(statements).values() if isinstance(text, str)]

    assert [text for text in (*texts, *statements.CHANGED.values()) if WRITES.search(text)] == []


def test_a_full_scan_leaves_no_check_out() -> None:
    assert sorted(check.walk.name for check in CHECKS) == sorted(check.walk.name for check in ALL)


def test_keys_come_in_chunks_ascending() -> None:
    chunks = [scope.values["keys"] for scope in keys_in(set(range(2 * CHUNK_KEYS + 1)))]

    assert [len(chunk) for chunk in chunks] == [CHUNK_KEYS, CHUNK_KEYS, 1]
    assert [key for chunk in chunks for key in chunk] == list(range(2 * CHUNK_KEYS + 1))
    assert list(keys_in(set())) == []
