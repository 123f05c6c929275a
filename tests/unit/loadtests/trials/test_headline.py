from loadtests.reports.scenario_plot import headline
from loadtests.trials.catalogue import Name
from tests.unit.loadtests.trials.stage import Stage


def test_the_title_names_the_first_figure_that_was_missed_and_counts_the_others(stage: Stage) -> None:
    stage.poor = {1_000_001}
    stage.run(Name.S5, iterations=3)

    assert headline(stage.summary) == "FAILED: users who lost a charge, caches off 1, limit exactly 0; and 1 more"


def test_the_title_of_a_run_that_missed_nothing_is_its_verdict(stage: Stage) -> None:
    stage.run(Name.S1)

    assert headline(stage.summary) == "PASSED"
