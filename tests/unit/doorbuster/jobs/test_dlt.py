"""The command line of the dead letters: what it asks for, what it refuses, what it says."""

import json
import sys
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest
from click.testing import CliRunner, Result

from doorbuster.bootstrap.dead_letters import Outcome
from doorbuster.infra.batches.dead_letters import LetterState
from doorbuster.infra.batches.letter_decisions import DeadLetter, Refusal
from doorbuster.infra.batches.letter_rows import Wanted
from doorbuster.jobs import dlt
from doorbuster.kernel.errors import OutcomeUnknown, PrimaryUnavailable
from doorbuster.settings import Settings
from tests.unit.doorbuster.infra.batches.test_letter_decisions import OPEN


@dataclass
class Desk:
    """Remembers what it was asked for."""

    refusals: dict[int, Refusal] = field(default_factory=dict)
    letters: Sequence[DeadLetter] = (replace(OPEN, payload=None),)
    asked: list[object] = field(default_factory=list)
    raises: Exception | None = None

    async def page(self, wanted: Wanted, *, before: int | None, most: int) -> Sequence[DeadLetter]:
        self.asked.append((wanted, before, most))
        if self.raises is not None:
            raise self.raises
        return self.letters

    async def find(self, letter_id: int) -> DeadLetter | None:
        return OPEN if letter_id == OPEN.id else None

    async def count(self, wanted: Wanted) -> tuple[int, int]:
        self.asked.append(wanted)
        return len(self.letters), max((letter.id for letter in self.letters), default=0)

    async def replay(self, ids: Collection[int], *, again: bool = False) -> Sequence[Outcome]:
        self.asked.append(("replay", tuple(ids), again))
        return self._outcomes(ids)

    async def replay_all(self, wanted: Wanted, *, newest: int) -> AsyncIterator[Sequence[Outcome]]:
        self.asked.append(("all", wanted, newest))
        yield self._outcomes([letter.id for letter in self.letters])

    async def discard(self, ids: Collection[int], *, reason: str) -> Sequence[Outcome]:
        self.asked.append(("discard", tuple(ids), reason))
        return self._outcomes(ids)

    def _outcomes(self, ids: Collection[int]) -> Sequence[Outcome]:
        return [Outcome(letter_id=each, refusal=self.refusals.get(each)) for each in ids]


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    made = Desk()

    @asynccontextmanager
    async def opened(_: Settings) -> AsyncIterator[Desk]:
        yield made

    monkeypatch.setattr(dlt, "dead_letter_desk", opened)
    # The runner's output is no stream that logs could go to.
    monkeypatch.setattr(dlt, "configure", lambda *_: None)
    return made


def run(*arguments: str, answer: str | None = None) -> Result:
    return CliRunner().invoke(dlt.main, arguments, input=answer)


def test_list_shows_open_ones_as_a_table(desk: Desk) -> None:
    result = run("list")

    assert desk.asked == [(Wanted(), None, 50)]
    assert result.exit_code == 0
    assert "stock-reserved" in result.output


def test_list_says_how_to_go_on_behind_a_full_page(desk: Desk) -> None:
    result = run("list", "--state=all", "--topic=order-created", "--limit=1", "--before=9")

    assert desk.asked == [(Wanted(state=None, topic="order-created"), 9, 1)]
    assert "there may be more: --before 7" in result.output


def test_a_list_without_any_says_so(desk: Desk) -> None:
    desk.letters = ()

    assert "no dead letters (open)" in run("list").output


def test_list_for_programs_is_one_line_of_json(desk: Desk) -> None:
    document = json.loads(run("list", "--json").output)

    assert [letter["id"] for letter in document["letters"]] == [7]
    assert document["next_before"] is None


def test_show_prints_the_payload_and_an_unknown_id_is_explained(desk: Desk) -> None:
    assert run("show", "7").output.endswith("{}\n")
    assert json.loads(run("show", "7", "--json").output)["payload"] == "{}"

    missing = run("show", "8")

    assert missing.exit_code == 1
    assert "list --state all" in missing.output
    assert desk.asked == []


def test_replay_of_ids_wants_a_yes_without_a_terminal(desk: Desk) -> None:
    refused = run("replay", "7")

    assert (refused.exit_code, desk.asked) == (2, [])
    assert "add --yes" in refused.output

    sent = run("replay", "7", "9", "--yes")

    assert (sent.exit_code, sent.output) == (0, "2 of 2 sent again\n")
    assert desk.asked == [("replay", (7, 9), False)]


@pytest.mark.parametrize(("answer", "sent"), [("y\n", True), ("n\n", False), ("", False)])
def test_on_a_terminal_it_asks(desk: Desk, monkeypatch: pytest.MonkeyPatch, answer: str, *, sent: bool) -> None:
    monkeypatch.setattr(dlt, "sys", _WithTerminal)

    result = run("replay", "7", answer=answer)

    assert bool(desk.asked) is sent
    assert (result.exit_code == 0) is sent


def test_replay_of_a_topic_sends_its_open_ones_up_to_the_newest_of_now(desk: Desk) -> None:
    result = run("replay", "--topic=stock-reserved", "--yes")

    wanted = Wanted(topic="stock-reserved")
    assert desk.asked == [wanted, ("all", wanted, 7)]
    assert result.output == "1 of 1 sent again\n"


def test_replay_of_nothing_is_done_at_once(desk: Desk) -> None:
    desk.letters = ()

    result = run("replay", "--all")

    assert (result.exit_code, desk.asked) == (0, [Wanted()])
    assert "nothing to send" in result.output


def test_what_was_done_before_is_said_and_no_failure(desk: Desk) -> None:
    desk.refusals = {7: Refusal(reason="was replayed", done_before=True)}

    result = run("replay", "7", "--yes")

    assert result.exit_code == 0
    assert "7: not sent again: was replayed" in result.output
    assert "0 of 1 sent again" in result.output


def test_what_cannot_be_done_ends_with_1(desk: Desk) -> None:
    desk.refusals = {7: Refusal(reason="only a part is kept")}

    assert run("replay", "7", "8", "--yes").exit_code == 1


def test_again_is_handed_on(desk: Desk) -> None:
    run("replay", "7", "--again", "--yes")

    assert desk.asked == [("replay", (7,), True)]


def test_discard_notes_the_reason(desk: Desk) -> None:
    result = run("discard", "7", "--reason", " test data ")

    assert desk.asked == [("discard", (7,), "test data")]
    assert (result.exit_code, result.output) == (0, "1 of 1 discarded\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ("replay",),
        ("replay", "7", "--all", "--yes"),
        ("replay", "--all", "--topic=order-created"),
        ("replay", "--all", "--again", "--yes"),
        ("replay", "0", "--yes"),
        ("replay", *map(str, range(1, 1_002)), "--yes"),
        ("discard", "7"),
        ("discard", "7", "--reason", " "),
        ("discard", "7", "--reason", "x" * 256),
        ("discard", "--reason", "why"),
        ("list", "--topic=weather"),
        ("list", "--limit=501"),
    ],
)
def test_wrong_arguments_are_explained_and_nothing_is_asked(desk: Desk, arguments: tuple[str, ...]) -> None:
    result = run(*arguments)

    assert (result.exit_code, desk.asked) == (2, [])
    assert "Error: " in result.output


@pytest.mark.parametrize(
    ("error", "word"), [(PrimaryUnavailable("no primary"), "try again"), (OutcomeUnknown("no answer"), "Type it again")]
)
def test_an_outage_ends_with_a_sentence_and_the_next_step(desk: Desk, error: Exception, word: str) -> None:
    desk.raises = error

    result = run("list")

    assert result.exit_code == 1
    assert word in result.output
    assert "Traceback" not in result.output


def test_the_help_teaches_the_way_from_list_to_replay() -> None:
    text = " ".join(run("--help").output.split())

    for word in ("First `list`, then `show ID`", "replay ID", "discard ID --reason", "kubectl exec -it"):
        assert word in text
    assert {"list", "show", "replay", "discard"} <= set(dlt.main.commands)
    assert f"[{'|'.join(LetterState)}|all]" in run("list", "--help").output


class _WithTerminal:
    """The module `sys`, with somebody to ask."""

    exit = staticmethod(sys.exit)
    stderr = sys.stderr

    class stdin:  # noqa: N801  # the name that is asked for
        """A terminal."""

        @staticmethod
        def isatty() -> bool:
            return True
