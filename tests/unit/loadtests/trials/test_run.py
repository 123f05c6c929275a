import signal

import pytest

from doorbuster_cluster.errors import ClusterError
from loadtests.reports.scenario_summary import ScenarioSummary
from loadtests.rig import load
from loadtests.rig.errors import JobFailed, QuestionFailed
from loadtests.trials import caching, order_ramp, results, steps
from loadtests.trials.catalogue import Name
from tests.unit.loadtests.trials.grounds import BREACH
from tests.unit.loadtests.trials.stage import Stage


def missed(summary: ScenarioSummary) -> list[str]:
    return [check.name for check in summary.checks if not check.passed]


def steps_of(stage: Stage) -> list[str]:
    return [step for step in stage.ground.done if step not in {"restless", "at_work", "open_sagas"}]


@pytest.mark.parametrize("name", list(Name))
def test_a_scenario_in_which_all_goes_well_has_passed_and_leaves_its_files(stage: Stage, name: Name) -> None:
    # As many users ask in the smaller crowd.
    stage.ground.given_away = 400 if name is Name.S3_SMOKE else 500

    assert stage.run(name) == 0, stage.printed.getvalue()
    summary = stage.summary
    assert (summary.verdict, summary.scenario, missed(summary)) == ("PASSED", name, [])
    assert summary.command.startswith(f"make scenario NAME={name}")
    assert (stage.folder / "plot.png").read_bytes().startswith(b"\x89PNG")
    assert summary.samples
    assert (stage.ground.done[-1], summary.audit) == ("audit", stage.ground.report)


def test_points_and_orders_fill_products_one_to_five_up_and_measure_both_calls(stage: Stage) -> None:
    stage.run(Name.S1)

    (wanted,) = stage.ground.wanted
    assert (wanted.users, wanted.first_product, wanted.products) == (500, 1, 5)
    assert [(each.name, each.requests) for each in stage.summary.measurements] == [
        ("charges and orders", 3000), ("charges", 500), ("orders", 2500),
    ]  # fmt: skip
    assert stage.check("succeeded of scheduled").value == 100


def test_a_charge_that_a_balance_does_not_show_is_lost(stage: Stage) -> None:
    stage.poor = {1_000_003}

    assert stage.run(Name.S1) == 1
    assert missed(stage.summary) == ["users who lost a charge"]


def test_an_order_that_no_list_holds_is_lost(stage: Stage) -> None:
    stage.forgotten = {"order-1000001-1"}

    assert stage.run(Name.S1) == 1
    assert "orders lost" in missed(stage.summary)


def test_a_spike_wants_a_coupon_of_500_for_5000_users(stage: Stage) -> None:
    stage.run(Name.S3_SPIKE)

    assert steps_of(stage) == ["check", "top_up", "coupon of 500", "issued of 7", "audit"]
    asks = stage.summary.measurements[0]
    assert (asks.intents, asks.ok, asks.sold_out, asks.errors) == (5000, 500, 4500, 0)
    assert stage.check("answered within, p95").limit == "below 2,000 ms"


def test_an_issue_that_is_gone_and_a_count_that_differs_are_told(stage: Stage) -> None:
    stage.gone, stage.ground.given_away = {"issue-1000001"}, 501

    assert stage.run(Name.S3_SPIKE) == 1
    assert missed(stage.summary) == [
        "coupons given away beyond what there are", "coupons lost", "holders and the database's count apart",
        "users who hold a coupon",
    ]  # fmt: skip


def test_the_ramp_wants_the_load_profile_and_says_how_to_load_it(stage: Stage) -> None:
    stage.ground.load_profile = False

    assert stage.run(Name.S4) == 2
    assert stage.ground.done == ["product 1000000"]
    assert "doorbuster.jobs.seed --profile load" in stage.printed.getvalue()
    assert not (stage.folder / "summary.json").exists()


def test_a_load_profile_that_was_interrupted_is_not_enough(stage: Stage) -> None:
    stage.ground.load_profile_users = False

    assert stage.run(Name.S4) == 2
    assert "there is no user 1,000,000" in stage.printed.getvalue()


def test_orders_that_are_open_when_the_load_ends_are_figures(stage: Stage) -> None:
    # The first look is the one at the end of the load.
    stage.ground.open = [102, 50, 0]

    assert stage.run(Name.S4) == 1
    assert stage.check("paid when the load ended").value == 90
    assert stage.check("pending when the load ended").shown == "10.00 %"
    assert missed(stage.summary) == ["paid when the load ended", "pending when the load ended"]


def test_aims_that_are_missed_are_told_and_fail_nothing(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order_ramp, "FINAL_SECONDS", 0.0)
    stage.ground.open, stage.ground.lags = [0, 7], [(1.0, 8400.0)]

    assert stage.run(Name.S4) == 0
    assert missed(stage.summary) == ["last arrival to all final", "most lag of a consumer group"]
    assert "missed (an aim)" in stage.printed.getvalue()


def test_lag_that_nobody_knows_is_not_known(stage: Stage) -> None:
    stage.ground.fails["lag"] = QuestionFailed("no answer")

    assert stage.run(Name.S4) == 0
    assert stage.check("most lag of a consumer group").shown == "not known"


def test_caches_are_switched_off_and_on_again_between_the_sides(stage: Stage) -> None:
    stage.run(Name.S5, iterations=3)

    assert steps_of(stage) == ["check", "change", "top_up", "restore", "top_up", "audit"]
    assert stage.ground.values == [{"cache.process": "false", "cache.redis": "false"}]
    assert [(each.name, each.requests) for each in stage.summary.measurements] == [
        ("reads, caches off", 300), ("orders, caches off", 300), ("reads, caches on", 300), ("orders, caches on", 300),
    ]  # fmt: skip
    assert "3 iterations in place of 1,000." in stage.summary.remarks
    assert stage.summary.command == "make scenario NAME=s5 ITERATIONS=3"


def test_a_charge_that_is_lost_fails_either_side(stage: Stage) -> None:
    stage.poor = {1_000_001}

    assert stage.run(Name.S5, iterations=3) == 1
    assert missed(stage.summary) == [f"users who lost a charge, caches {side}" for side in ("off", "on")]


def test_caches_are_switched_on_again_whatever_happens(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caching, "_side", lambda *_: signal.raise_signal(signal.SIGINT))

    assert stage.run(Name.S5) == 130
    assert stage.ground.done[-1] == "restore"
    assert "interrupted" in stage.printed.getvalue()


def test_caches_that_could_not_be_switched_on_are_an_error_that_is_told(stage: Stage) -> None:
    stage.ground.fails["restore"] = ClusterError("helm refuses", hint="make up")

    assert stage.run(Name.S5) == 2
    assert stage.ground.done.count("restore") == 4
    assert "helm refuses → make up" in stage.printed.getvalue()


def test_a_breach_that_the_auditor_finds_fails_the_run_and_is_named(stage: Stage) -> None:
    stage.ground.report = BREACH

    assert stage.run(Name.S1) == 1
    assert missed(stage.summary) == ["breaches that the auditor found"]
    assert "product 7: sold twice" in stage.printed.getvalue()


def test_an_auditor_that_could_not_look_is_an_error_beside_the_figures(stage: Stage) -> None:
    stage.ground.fails["audit"] = JobFailed("the auditor could not look")

    assert stage.run(Name.S1) == 2
    assert stage.check("breaches that the auditor found").shown == "not known"
    assert stage.check("orders lost").value == 0


def test_a_platform_that_does_not_come_to_rest_is_a_missed_figure(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "QUIET_SECONDS", 0.0)
    stage.ground.busy = ["7 open sagas"]
    stage.run(Name.S1)

    assert "last answer to an idle platform" in missed(stage.summary)
    assert stage.summary.measurements[0].requests == 3000


def test_an_unfit_platform_is_refused_and_left_alone(stage: Stage) -> None:
    stage.ground.fails["check"] = ClusterError("a fault is set", hint="make up")

    assert stage.run(Name.S1) == 2
    assert stage.ground.done == ["check"]


def test_a_generator_that_breaks_could_not_run(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "locust_command", lambda *_, **__: ["sh", "-c", "echo no tokens; exit 2"])

    assert stage.run(Name.S3_SMOKE) == 2
    assert "no tokens" in stage.printed.getvalue()


def test_a_picture_that_can_not_be_drawn_hides_no_figure(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def draw(*_: object) -> None:
        raise ValueError("no room")

    monkeypatch.setattr(results, "draw_over_time", draw)

    assert stage.run(Name.S1) == 2
    assert "plot.png could not be written: ValueError('no room')" in stage.printed.getvalue()
    assert stage.summary.verdict == "PASSED"


def test_nothing_of_the_last_run_stays(stage: Stage) -> None:
    stage.run(Name.S1)
    stage.ground.fails["check"] = ClusterError("a fault is set")
    stage.run(Name.S1)

    assert list(stage.folder.iterdir()) == []
