"""How dead letters look to a person and to a program."""

from dataclasses import replace
from datetime import UTC, datetime

import msgspec

from doorbuster.infra.batches.dead_letters import LetterState
from doorbuster.jobs.letter_texts import LONGEST_CAUSE, as_json, as_page, as_table, json_line
from tests.unit.doorbuster.infra.batches.test_letter_decisions import OPEN

LISTED = replace(OPEN, payload=None)


def test_a_table_has_a_line_for_each_with_its_columns_aligned() -> None:
    lines = as_table([LISTED, replace(LISTED, id=123_456, topic="order-created")]).splitlines()

    assert lines[0].split() == ["ID", "WHEN", "(UTC)", "STATE", "TOPIC", "GROUP", "FROM", "CAUSE"]
    assert lines[1].split()[:4] == ["7", "2026-05-01", "12:30:00", "open"]
    assert lines[1].index("stock-reserved") == lines[2].index("order-created")
    assert lines[1].endswith("3@42     no JSON") or "3@42" in lines[1]


def test_a_long_cause_is_cut_and_no_cause_steers_the_terminal() -> None:
    table = as_table([replace(LISTED, headers={"cause": "\x1b[31m" + "x" * 200})])

    assert "\x1b" not in table
    assert "\\x1b[31m" in table
    assert len(table.splitlines()[1].split("3@42")[1].strip()) == LONGEST_CAUSE


def test_a_page_has_cause_place_decision_and_the_payload_at_the_end() -> None:
    letter = replace(
        OPEN,
        headers={"cause": "no JSON", "stack-digest": "abc", "source-offset": "42"},
        state=LetterState.DISCARDED,
        decided_at=datetime(2026, 5, 2, tzinfo=UTC),
        reason="test data",
        payload=b'{"a": "\x1b"}',
    )

    page = as_page(letter)

    for expected in ("no JSON", "abc", "discarded at 2026-05-02 00:00:00 UTC", "test data"):
        assert expected in page
    assert page.endswith('{"a": "\\x1b"}')


def test_json_holds_the_payload_as_text_or_in_base64() -> None:
    document = msgspec.json.decode(json_line(as_json(OPEN)))

    assert (document["id"], document["state"], document["payload"]) == (7, "open", "{}")
    assert as_json(replace(OPEN, payload=b"\xff"))["payload_base64"] == "/w=="
    assert "payload" not in as_json(LISTED)
