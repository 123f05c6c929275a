"""How dead letters are shown: a table, a page about one, JSON. Pure; no payload steers the terminal."""

import base64
from collections.abc import Sequence

import msgspec

from doorbuster.infra.batches.letter_decisions import DeadLetter

HEADINGS = ("ID", "WHEN (UTC)", "STATE", "TOPIC", "GROUP", "FROM", "CAUSE")
LONGEST_CAUSE = 60
_PLAIN = frozenset("\n\t")


def as_table(letters: Sequence[DeadLetter]) -> str:
    """Return one line a letter, in columns as wide as they have to be."""
    rows = [HEADINGS, *(_row(letter) for letter in letters)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def as_page(letter: DeadLetter) -> str:
    """Return everything about one, its payload last."""
    decided = "" if letter.decided_at is None else f" at {letter.decided_at:%Y-%m-%d %H:%M:%S} UTC"
    facts = {
        "id": str(letter.id),
        "state": f"{letter.state}{decided}",
        "reason": letter.reason,
        "sent again": f"{letter.replays} times",
        "given up at": f"{letter.created_at:%Y-%m-%d %H:%M:%S.%f} UTC",
        "key": _text(letter.key) or "none",
        **letter.headers,
        "payload bytes": str(letter.payload_bytes),
    }
    width = max(map(len, facts))
    lines = [f"{name.ljust(width)}  {_harmless(value)}" for name, value in facts.items() if value is not None]
    return "\n".join((*lines, "", _text(letter.payload or b"")))


def as_json(letter: DeadLetter) -> dict[str, object]:
    """Return what `--json` prints of one; the payload as text, or in base64 where it isn't UTF-8."""
    document: dict[str, object] = {
        "id": letter.id,
        "topic": letter.topic,
        "partition": letter.partition,
        "offset": letter.offset,
        "group": letter.group,
        "state": letter.state,
        "created_at": letter.created_at,
        "decided_at": letter.decided_at,
        "reason": letter.reason,
        "replays": letter.replays,
        "headers": dict(letter.headers),
        "payload_bytes": letter.payload_bytes,
    }
    if letter.payload is None:
        return document
    try:
        return {**document, "payload": letter.payload.decode("utf-8")}
    except UnicodeDecodeError:
        return {**document, "payload_base64": base64.b64encode(letter.payload).decode("ascii")}


def json_line(document: object) -> str:
    """Return the document as one line of JSON."""
    return msgspec.json.encode(document).decode("utf-8")


def _row(letter: DeadLetter) -> tuple[str, ...]:
    return (
        str(letter.id),
        f"{letter.created_at:%Y-%m-%d %H:%M:%S}",
        letter.state.value,
        letter.topic,
        letter.group,
        f"{letter.partition}@{letter.offset}",
        _short(letter.headers.get("cause", "")),
    )


def _short(text: str) -> str:
    line = _harmless(text).replace("\n", " ").replace("\t", " ")
    return line if len(line) <= LONGEST_CAUSE else f"{line[: LONGEST_CAUSE - 1]}…"


def _text(payload: bytes) -> str:
    return _harmless(payload.decode("utf-8", "backslashreplace"))


def _harmless(text: str) -> str:
    return "".join(
        each if each.isprintable() or each in _PLAIN else each.encode("unicode_escape").decode() for each in text
    )
