import pytest

from loadtests.checks import asking, own
from loadtests.checks.issues import IssueStatus
from loadtests.checks.own import balances_of, issues_seen, issues_wanted
from tests.unit.loadtests.shop_server import shop


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(own, "LOOK_SECONDS", 0.0)


async def test_balances_are_everybodys_own() -> None:
    with shop() as opened:
        opened.charge("a", 1, 100)
        opened.take("order", 1, 7)

        assert await balances_of(opened.url, [1, 2]) == {1: 100, 2: 1}


async def test_an_issue_is_looked_at_until_it_is_issued() -> None:
    with shop(coupons=2, slow_issues=3) as opened:
        told = {1: opened.issue(1) or ""}
        found = await issues_seen(opened.url, told, issued_within_seconds=20)

    assert [(issue.issue_id, issue.status) for issue in found.values()] == [(told[1], IssueStatus.ISSUED)]


async def test_an_issue_that_stays_accepted_is_shown_so() -> None:
    with shop(coupons=1, slow_issues=10**6) as opened:
        found = await issues_seen(opened.url, {1: opened.issue(1) or ""}, issued_within_seconds=0)

    assert found[1].status is IssueStatus.ACCEPTED


async def test_an_issue_that_the_api_does_not_know_is_left_out() -> None:
    with shop(coupons=1) as opened:
        opened.issue(1)
        told = {1: opened.issues[1], 2: opened.issues[1]}

        assert set(await issues_seen(opened.url, told, issued_within_seconds=0)) == {1}


async def test_who_asks_again_is_told_what_is_theirs() -> None:
    with shop(coupons=1) as opened:
        opened.issue(1)

        assert await issues_wanted(opened.url, [1, 2], coupon=7) == {1: opened.issues[1]}
