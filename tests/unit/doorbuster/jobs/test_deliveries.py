import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import UUID

import pytest
from click.testing import CliRunner, Result

from doorbuster.deliveries.parked import ParkedDelivery
from doorbuster.jobs import command_line
from doorbuster.jobs import deliveries as job
from doorbuster.kernel.errors import PrimaryUnavailable
from doorbuster.kernel.ids import OrderId
from doorbuster.settings import Settings

FIRST, SECOND = (OrderId(UUID(int=number)) for number in (1, 2))


class Parked:
    """Has two parked deliveries, and remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[Sequence[OrderId] | None] = []
        self.gone = False

    async def first(self, most: int) -> Sequence[ParkedDelivery]:
        created_at = datetime(2026, 11, 26, tzinfo=UTC)
        return [
            ParkedDelivery(order_id=each, attempts=12, last_error="500", created_at=created_at)
            for each in (FIRST, SECOND)
        ][:most]

    async def retry(self, order_ids: Sequence[OrderId] | None) -> int:
        if self.gone:
            raise PrimaryUnavailable("nobody answers")
        self.asked.append(order_ids)
        return 2 if order_ids is None else len(order_ids)


@pytest.fixture
def parked(monkeypatch: pytest.MonkeyPatch) -> Parked:
    parked = Parked()

    @asynccontextmanager
    async def parked_deliveries(_: Settings) -> AsyncIterator[Parked]:
        yield parked

    monkeypatch.setattr(job, "parked_deliveries", parked_deliveries)
    # The runner's output is no stream that logs could go to.
    monkeypatch.setattr(command_line, "configure", lambda *_: None)
    return parked


def run(*arguments: str) -> Result:
    return CliRunner().invoke(job.main, arguments)


@pytest.mark.usefixtures("parked")
def test_each_parked_delivery_is_a_line_up_to_the_limit() -> None:
    lines = [json.loads(line) for line in run("list").stdout.splitlines()]

    assert [line["order_id"] for line in lines] == [str(FIRST), str(SECOND)]
    assert lines[0] == {
        "order_id": str(FIRST), "attempts": 12, "last_error": "500", "created_at": "2026-11-26T00:00:00Z",
    }  # fmt: skip
    assert run("list", "--limit=1").stdout.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "asked", "due"), [([str(SECOND), str(FIRST)], [SECOND, FIRST], 2), (["--all"], None, 2)]
)
def test_named_ones_or_all_become_due(parked: Parked, words: list[str], asked: list[OrderId] | None, due: int) -> None:
    result = run("retry", *words)

    assert (result.exit_code, json.loads(result.stdout)) == (0, {"due": due})
    assert parked.asked == [asked]


@pytest.mark.parametrize("words", [[], [str(FIRST), "--all"], ["17"], [str(FIRST)] * 1001])
def test_nothing_both_and_what_is_no_id_are_refused(parked: Parked, words: list[str]) -> None:
    assert run("retry", *words).exit_code == 2
    assert parked.asked == []


def test_a_failure_ends_with_1_and_says_why(parked: Parked) -> None:
    parked.gone = True
    result = run("retry", "--all")

    assert (result.exit_code, "nobody answers" in result.output) == (1, True)
