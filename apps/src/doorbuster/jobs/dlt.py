"""Lists, shows, sends again and discards dead letters: `python -m doorbuster.jobs.dlt --help` says how.

Answers go to standard output, logs to standard error. Nothing here is done twice: repeat a command at any time.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import click

from doorbuster.bootstrap.dead_letters import DeadLetterDesk, Outcome, dead_letter_desk
from doorbuster.contracts.topics import Group, Topic
from doorbuster.infra.batches.dead_letters import LetterState
from doorbuster.infra.batches.letter_rows import Wanted
from doorbuster.infra.logging import configure
from doorbuster.jobs.letter_texts import as_json, as_page, as_table, json_line
from doorbuster.kernel.errors import DoorbusterError, OutcomeUnknown
from doorbuster.settings import Settings

ALL = "all"
STATES = (*(state.value for state in LetterState), ALL)
LONGEST_PAGE = 500
LONGEST_REASON = 255
MOST_IDS = 1_000

T = TypeVar("T")

_topic = click.option("--topic", type=click.Choice([each.value for each in Topic]), help="Only those of this topic.")
_group = click.option("--group", type=click.Choice([each.value for each in Group]), help="Only those of this group.")
_as_json = click.option("--json", "wants_json", is_flag=True, help="One line of JSON instead of text for people.")
_ids = click.argument("ids", type=click.IntRange(min=1), nargs=-1, metavar="ID...")
_yes = click.option("--yes", is_flag=True, help="Don't ask. Needed where there is no terminal to ask at.")


@click.group(
    epilog="In a cluster: kubectl exec -it deployment/apps-relay -- python3 -m doorbuster.jobs.dlt list. Ends with 0;"
    " with 1 when something could not be done, and a sentence says what and why; with 2 for wrong arguments."
)
def main() -> None:
    """Handle dead letters: messages that a consumer group gave up because they can never succeed.

    Each was copied to <topic>.dlt with its cause, and is kept as a row for 10 days. First `list`, then `show ID`. When
    the cause is mended (a new release reads it, a value fits), `replay ID` sends the message to its topic again, and
    the group that gave it up judges it anew. What is to stay undone: `discard ID --reason "..."`.
    """


@main.command("list")
@click.option(
    "--state", type=click.Choice(STATES), default=LetterState.OPEN.value, show_default=True, help="Which ones."
)
@_topic
@_group
@click.option("--limit", type=click.IntRange(1, LONGEST_PAGE), default=50, show_default=True, help="Most of a page.")
@click.option("--before", type=click.IntRange(min=1), help="Only ids below this one: the next page.")
@_as_json
def list_letters(
    *, state: str, topic: str | None, group: str | None, limit: int, before: int | None, wants_json: bool
) -> None:
    """Print dead letters, the newest first."""
    wanted = Wanted(state=None if state == ALL else LetterState(state), topic=topic, group=group)
    letters = _asked(lambda desk: desk.page(wanted, before=before, most=limit))
    last = letters[-1].id if len(letters) == limit else None
    if wants_json:
        click.echo(json_line({"letters": [as_json(letter) for letter in letters], "next_before": last}))
        return
    click.echo(as_table(letters) if letters else f"no dead letters ({state}); --state all shows decided ones as well")
    if last is not None:
        click.echo(f"there may be more: --before {last}")


@main.command()
@click.argument("letter_id", type=click.IntRange(min=1), metavar="ID")
@_as_json
def show(*, letter_id: int, wants_json: bool) -> None:
    """Print all about one dead letter, with its payload."""
    letter = _asked(lambda desk: desk.find(letter_id))
    if letter is None:
        raise click.ClickException(f"there is no dead letter {letter_id}; `list --state all` shows those that are kept")
    click.echo(json_line(as_json(letter)) if wants_json else as_page(letter))


@main.command()
@_ids
@_topic
@click.option("--all", "everything", is_flag=True, help="All open ones, of every topic.")
@click.option("--again", is_flag=True, help="Also what was sent again or discarded before; with IDs only.")
@_yes
def replay(*, ids: tuple[int, ...], topic: str | None, everything: bool, again: bool, yes: bool) -> None:
    """Send messages to their topic again, each once, by the outbox.

    Name IDs, or --topic, or --all. A message that is given up again becomes another dead letter.
    """
    if sum((bool(ids), topic is not None, everything)) != 1:
        raise click.UsageError("name IDs, or --topic, or --all: exactly one of the three")
    if again and not ids:
        raise click.UsageError("--again is for IDs: of the others only open ones are sent")
    if ids:
        _few_enough(ids)
        _confirm(f"Send {len(set(ids))} dead letters to their topics again?", yes=yes)
        _report(_asked(lambda desk: desk.replay(ids, again=again)), "sent again")
        return
    wanted = Wanted(topic=topic)
    count, newest = _asked(lambda desk: desk.count(wanted))
    if not count:
        click.echo("no open dead letters: nothing to send")
        return
    _confirm(f"Send all {count} open dead letters{f' of {topic}' if topic else ''} again?", yes=yes)
    _report(_asked(lambda desk: _all_of(desk, wanted, newest)), "sent again")


@main.command()
@_ids
@click.option("--reason", required=True, help=f"Why, for whoever reads it later; up to {LONGEST_REASON} characters.")
def discard(*, ids: tuple[int, ...], reason: str) -> None:
    """Note that dead letters are to stay undone, and why. Nothing is deleted; `replay --again` overrules it."""
    if not ids:
        raise click.UsageError("name at least one ID; `list` prints them")
    if not reason.strip() or len(reason) > LONGEST_REASON:
        raise click.UsageError(f"--reason is a sentence of 1 to {LONGEST_REASON} characters")
    _few_enough(ids)
    _report(_asked(lambda desk: desk.discard(ids, reason=reason.strip())), "discarded")


async def _all_of(desk: DeadLetterDesk, wanted: Wanted, newest: int) -> Sequence[Outcome]:
    return [outcome async for some in desk.replay_all(wanted, newest=newest) for outcome in some]


def _asked(question: Callable[[DeadLetterDesk], Awaitable[T]]) -> T:
    settings = Settings()
    configure(settings.log_level, sys.stderr.buffer)

    async def ask() -> T:
        async with dead_letter_desk(settings) as desk:
            return await question(desk)

    try:
        return asyncio.run(ask())
    except OutcomeUnknown as error:
        raise click.ClickException(f"{error}. Type it again: what was done is not done twice") from error
    except DoorbusterError as error:
        raise click.ClickException(f"{error}. Nothing more was done; try again when MySQL has a primary") from error


def _few_enough(ids: Sequence[int]) -> None:
    if len(ids) > MOST_IDS:
        raise click.UsageError(f"at most {MOST_IDS} IDs at once; --topic and --all take any number")


def _confirm(question: str, *, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError("nobody can be asked without a terminal: add --yes (kubectl exec -it has a terminal)")
    click.confirm(question, abort=True)


def _report(outcomes: Sequence[Outcome], done: str) -> None:
    """Say what became of each, and end with 1 when something wasn't done and hadn't been before."""
    refused = [(outcome.letter_id, outcome.refusal) for outcome in outcomes if outcome.refusal is not None]
    for letter_id, refusal in refused:
        click.echo(f"{letter_id}: not {done}: {refusal.reason}", err=True)
    click.echo(f"{len(outcomes) - len(refused)} of {len(outcomes)} {done}")
    if any(not refusal.done_before for _, refusal in refused):
        sys.exit(1)


if __name__ == "__main__":
    main()
