"""The documents say what is there: links, paths, targets and settings are compared with the repository."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from doorbuster_cluster.cli import ENVIRONMENT
from doorbuster_cluster.settings import REPOSITORY, Settings, read_settings
from tests.architecture.repository import all_files, files, shown, text_of

DOCUMENTS = files("*.md")
DECISIONS = [path for path in DOCUMENTS if path.parent.name == "adr" and path.name != "README.md"]
DECISION_TABLE = REPOSITORY / "docs" / "adr" / "README.md"
SETTINGS_TABLE = REPOSITORY / "docs" / "development.md"
SETTINGS_SOURCE = REPOSITORY / "cluster" / "src" / "doorbuster_cluster" / "settings.py"

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
FENCE = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`\n]+)`")
SHELL_BLOCK = re.compile(r"^```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TARGET = re.compile(r"\bmake ([a-z][a-z0-9-]*)")
VARIABLE = re.compile(r"DOORBUSTER_[A-Z_]*[A-Z]")
STATUS = re.compile(r"^Status: (accepted|superseded by \d{4}), \d{4}-\d{2}-\d{2}$")
SECTIONS = ["Context", "Decision", "Consequences", "Alternatives considered", "Enforced by"]
# A decision is one page: what fits on a screen or two.
LONGEST_DECISION = 90
# What is announced may be named, so that nobody looks for it in vain.
ANNOUNCED = "planned"


def prose(text: str) -> str:
    """Return a document without its fenced blocks."""
    return FENCE.sub("", text)


def anchors(text: str) -> set[str]:
    """Return the names by which a document's headings are linked to, as the usual viewers make them."""
    bare = (re.sub(r"[`*]|\]\([^)]*\)|\[", "", heading).lower() for heading in HEADING.findall(prose(text)))
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in bare}


def broken_links(document: Path) -> Iterator[str]:
    for link in LINK.findall(prose(text_of(document))):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (document.parent / name).resolve() if name else document
        if not target.exists() or (anchor and anchor not in anchors(text_of(target))):
            yield link


def named_targets(document: Path) -> Iterator[tuple[str, bool]]:
    """Yield every make target that a document names in code, and whether its line says that it is yet to come."""
    text = text_of(document)
    for line in "".join(SHELL_BLOCK.findall(text)).splitlines():
        yield from ((target, ANNOUNCED in line) for target in TARGET.findall(line))
    for line in prose(text).splitlines():
        code = "\n".join(CODE.findall(line))
        yield from ((target, ANNOUNCED in line) for target in TARGET.findall(code))


def targets() -> set[str]:
    return set(re.findall(r"^([a-z][a-z0-9-]*):", text_of(REPOSITORY / "Makefile"), re.MULTILINE))


def table_rows(text: str, first_cell: re.Pattern[str]) -> Iterator[list[str]]:
    """Yield the cells of those table rows whose first cell matches."""
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and first_cell.fullmatch(cells[0]):
            yield cells


def documented_settings() -> dict[str, str]:
    """Return the defaults that the table of settings gives, by variable."""
    rows = table_rows(text_of(SETTINGS_TABLE), re.compile(rf"`{VARIABLE.pattern}`"))
    return {cells[0].strip("`"): cells[1].strip("`") for cells in rows}


def actual_settings() -> dict[str, str]:
    """Return the real defaults, by the variable that the docstring of Settings gives each field."""
    defaults = read_settings({"HOME": "/home/somebody"})
    fields = re.findall(rf"^ +(\w+): ({VARIABLE.pattern})\.", Settings.__doc__ or "", re.MULTILINE)
    return {variable: str(getattr(defaults, field)).replace("/home/somebody", "~") for field, variable in fields}


@pytest.mark.parametrize("document", DOCUMENTS, ids=shown)
def test_every_link_into_this_repository_leads_somewhere(document: Path) -> None:
    assert list(broken_links(document)) == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=shown)
def test_every_path_that_is_named_exists(document: Path) -> None:
    folders = {shown(path).partition("/")[0] for path in all_files() if "/" in shown(path)}
    named = {
        word for word in CODE.findall(prose(text_of(document))) if word.partition("/")[0] in folders and "/" in word
    }
    # `cluster/go/<name>/` is the form of a path; what follows a blank is an argument.
    paths = {word.split()[0].rstrip("/") for word in named if not re.search(r"[<*…]", word)}

    assert sorted(path for path in paths if not (REPOSITORY / path).exists()) == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=shown)
def test_every_make_target_that_is_named_exists(document: Path) -> None:
    named = set(named_targets(document))

    assert {target for target, announced in named if not announced} - targets() == set()
    # What is there isn't announced any more.
    assert {target for target, announced in named if announced} & targets() == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=shown)
def test_every_setting_that_is_named_exists(document: Path) -> None:
    assert set(VARIABLE.findall(text_of(document))) - actual_settings().keys() == set()


def test_every_setting_is_documented_with_its_default() -> None:
    assert documented_settings() == actual_settings()


def test_every_variable_that_is_read_is_a_documented_setting() -> None:
    assert set(VARIABLE.findall(text_of(SETTINGS_SOURCE))) == documented_settings().keys()


def test_the_command_lines_help_has_the_same_settings() -> None:
    told = dict(re.findall(rf"^ *({VARIABLE.pattern}) .*\((\S+)\)$", ENVIRONMENT, re.MULTILINE))

    assert told == documented_settings()


@pytest.mark.parametrize("decision", DECISIONS, ids=shown)
def test_a_decision_has_its_form(decision: Path) -> None:
    lines = text_of(decision).splitlines()

    assert lines[0].startswith(f"# {decision.name[:4]}. ")
    assert STATUS.fullmatch(lines[2]) is not None
    assert [line.removeprefix("## ") for line in lines if line.startswith("## ")] == SECTIONS
    assert len(lines) <= LONGEST_DECISION


def test_decisions_are_numbered_without_gaps() -> None:
    assert [int(decision.name[:4]) for decision in DECISIONS] == list(range(1, len(DECISIONS) + 1))


def test_the_table_lists_every_decision_as_it_is() -> None:
    rows = table_rows(text_of(DECISION_TABLE), re.compile(r"\[\d{4}\]\(.+\)"))
    actual = []
    for decision in DECISIONS:
        title, _, status = text_of(decision).splitlines()[:3]
        number, name = title.removeprefix("# ").split(". ", 1)
        actual.append([f"[{number}]({decision.name})", name, status.removeprefix("Status: ").partition(",")[0]])

    assert list(rows) == actual


@pytest.mark.parametrize("document", DOCUMENTS, ids=shown)
def test_every_fenced_block_is_closed(document: Path) -> None:
    assert len(re.findall(r"^ *```", text_of(document), re.MULTILINE)) % 2 == 0
