import asyncio
import math
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

import pytest
from asyncmy.errors import OperationalError
from prometheus_client import REGISTRY
from sqlalchemy import TextClause
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.bootstrap.invariants import INVARIANTS, PAGE_ROWS, STATEMENT_TIMED_OUT, Page, Rule
from doorbuster.bootstrap.shop_watch import LOOKS_TO_REST, Pass, ShopWatch
from doorbuster.kernel.errors import DoorbusterError, PrimaryUnavailable

RULE = Rule.STOCK_WITHIN_SUPPLY
ONE_RULE = {RULE: INVARIANTS[RULE]}
FULL = PAGE_ROWS


@dataclass
class Answer:
    """A result of one row."""

    row: tuple[object, ...]

    def one(self) -> tuple[object, ...]:
        return self.row

    def scalar_one(self) -> object:
        return self.row[0]


@dataclass
class Shop:
    """A database that has so many products, and pages or errors to answer with; the last one again and again."""

    products: int = 3
    pages: list[tuple[object, ...] | DoorbusterError] = field(default_factory=lambda: [(1, 1, 0, None)])
    asked: list[object] = field(default_factory=list)
    third_page_read: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        yield cast("AsyncConnection", self)

    async def execute(self, statement: TextClause, parameters: Mapping[str, object] | None = None) -> Answer:
        if parameters is None:
            return Answer(row=(self.products,))
        self.asked.append(parameters["before"])
        if len(self.asked) == 3:
            self.third_page_read.set()
        answer = self.pages.pop(0) if len(self.pages) > 1 else self.pages[0]
        if isinstance(answer, DoorbusterError):
            raise answer
        return Answer(row=answer)


def page(*, last: int, broken: int = 0, rows: int = FULL) -> Page:
    return Page(rows=rows, last=last, broken=broken, example=None)


def shown(rule: Rule = RULE) -> float | None:
    return REGISTRY.get_sample_value("invariant_breaches", {"rule": rule.value})


def products() -> float | None:
    return REGISTRY.get_sample_value("catalogue_products")


def timed_out() -> PrimaryUnavailable:
    error = PrimaryUnavailable("MySQL error 3024")
    error.__cause__ = DBAPIError("SELECT", None, OperationalError(STATEMENT_TIMED_OUT, "interrupted"))
    return error


def test_a_pass_goes_down_page_by_page_and_begins_anew_after_the_last() -> None:
    invariant = INVARIANTS[RULE]
    progress = Pass(invariant)

    seen = [progress.before]
    for read in (page(last=900), page(last=400), page(last=7, rows=3)):
        progress.saw(read)
        seen.append(progress.before)

    assert seen == [invariant.newest, 900, 400, invariant.newest]


def test_a_pass_over_a_table_that_only_grows_ends_after_so_many_pages() -> None:
    invariant = INVARIANTS[Rule.ORDER_AGREES_WITH_PAYMENT]
    progress = Pass(invariant)

    for number in range(invariant.most_pages or 0):
        assert (progress.before == invariant.newest) == (number == 0)
        progress.saw(Page(rows=FULL, last=bytes([200 - number]) * 16, broken=0, example=None))

    assert progress.before == invariant.newest


def test_an_empty_table_is_a_whole_pass() -> None:
    progress = Pass(INVARIANTS[RULE])
    progress.saw(Page(rows=0, last=None, broken=0, example=None))

    assert (progress.before, progress.broken) == (INVARIANTS[RULE].newest, 0)


def test_a_breach_stays_until_a_whole_pass_did_not_meet_it() -> None:
    progress = Pass(INVARIANTS[RULE])
    counts = []
    for read in (
        page(last=9), page(last=5, broken=2), page(last=1, rows=1),  # two are found
        page(last=9), page(last=5), page(last=1, rows=1),  # and not met any more
        page(last=9),
    ):  # fmt: skip
        progress.saw(read)
        counts.append(progress.broken)

    assert counts == [0, 2, 2, 2, 2, 0, 0]


async def test_a_look_shows_the_products_and_the_breaches() -> None:
    await ShopWatch(Shop(products=3, pages=[(10, 1, 2, 8)]), invariants=ONE_RULE).look()

    assert (products(), shown()) == (3, 2)


async def test_the_minimum_is_shown_and_counted_up_to() -> None:
    found = ShopWatch(Shop(), invariants=ONE_RULE, minimum_products=5_000)

    assert REGISTRY.get_sample_value("catalogue_products_minimum") == 5_000
    assert "LIMIT 5000)" in str(found._count_products)


async def test_an_empty_catalogue_is_shown_as_0() -> None:
    await ShopWatch(Shop(products=0), invariants=ONE_RULE).look()

    assert products() == 0


async def test_what_cannot_be_read_is_not_known_and_is_read_again_from_the_same_place() -> None:
    shop = Shop(pages=[(FULL, 500, 1, 600), PrimaryUnavailable("failover"), (FULL, 300, 0, None)])
    watch = ShopWatch(shop, invariants=ONE_RULE)

    counts = []
    for _ in range(3):
        await watch.look()
        counts.append(shown())

    assert (counts[0], math.isnan(counts[1] or 0), counts[2]) == (1, True, 1)
    assert shop.asked == [INVARIANTS[RULE].newest, 500, 500]


async def test_a_rule_that_takes_too_long_is_left_alone_for_a_while() -> None:
    shop = Shop(pages=[timed_out(), (1, 1, 0, None)])
    watch = ShopWatch(shop, invariants=ONE_RULE)

    for _ in range(1 + LOOKS_TO_REST):
        await watch.look()
        assert math.isnan(shown() or 0)
    assert len(shop.asked) == 1
    await watch.look()

    assert (len(shop.asked), shown()) == (2, 0)


async def test_one_rule_that_fails_keeps_no_other_from_being_read() -> None:
    rules = {rule: INVARIANTS[rule] for rule in (RULE, Rule.ENTRIES_SUM_TO_ZERO)}
    await ShopWatch(Shop(pages=[timed_out(), (1, b"\x01" * 16, 4, b"\x01" * 16)]), invariants=rules).look()

    assert math.isnan(shown() or 0)
    assert shown(Rule.ENTRIES_SUM_TO_ZERO) == 4


async def test_who_does_not_watch_any_more_knows_nothing() -> None:
    shop = Shop(products=7)
    task = asyncio.create_task(ShopWatch(shop, invariants=ONE_RULE, look_seconds=0.001).run())
    async with asyncio.timeout(10):
        await shop.third_page_read.wait()
    assert (products(), shown()) == (7, 0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert math.isnan(products() or 0)
    assert math.isnan(shown() or 0)


async def test_a_bug_in_a_rule_ends_nothing_but_what_is_known() -> None:
    shop = Shop(products=7, pages=[("no", "such", "page")])
    task = asyncio.create_task(ShopWatch(shop, invariants=ONE_RULE, look_seconds=0.001).run())
    async with asyncio.timeout(10):
        await shop.third_page_read.wait()
    assert not task.done()
    assert math.isnan(shown() or 0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_before_anything_was_measured_no_process_says_0() -> None:
    # This process has measured already.
    names = ("catalogue_products", "sagas_open", "sagas_uncompensated")
    script = (
        "import doorbuster.infra.telemetry; from prometheus_client import REGISTRY;"
        f"print([REGISTRY.get_sample_value(name) for name in {names}])"
    )
    # It finds what this process finds, however that was told where.
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    shown = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True, timeout=60
    )

    assert shown.stdout.strip() == "[nan, nan, nan]"
