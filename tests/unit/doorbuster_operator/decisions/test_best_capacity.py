from dataclasses import replace

from doorbuster_operator.decisions.capacity import best_capacity
from doorbuster_operator.model.capacity import Capacity, CapacitySource, Work
from tests.unit.doorbuster_operator.decisions.kafka_samples import NOW, SPEC

NOTHING = Work(capacity=None, one_size=False, fill=None, busy=None)
HINTED = SPEC.model_copy(update={"capacity_hint": 400.0})


def learned(records_per_second: float, template: str = "new") -> Capacity:
    return Capacity(
        records_per_second=records_per_second, source=CapacitySource.MEASURED, at=NOW - 900, template=template
    )


def best(
    work: Work, remembered: Capacity | None = None, *, hint: bool = True, template: str = "new"
) -> Capacity | None:
    return best_capacity(work, HINTED if hint else SPEC, remembered, template=template, now=NOW)


MEASURED = Work(capacity=90.0, one_size=False, fill=0.1, busy=0.3)
BOUND = replace(MEASURED, one_size=True)
HINT = Capacity(records_per_second=400, source=CapacitySource.HINT, at=NOW, template="")
FRESH = Capacity(records_per_second=90, source=CapacitySource.MEASURED, at=NOW, template="new")


def test_what_was_measured_is_better_than_anything() -> None:
    assert best(MEASURED, learned(300)) == FRESH


def test_a_lower_bound_doesnt_replace_more_that_was_learned_or_hinted() -> None:
    assert best(BOUND, learned(300)) == replace(learned(300), source=CapacitySource.LEARNED)
    assert best(replace(BOUND, fill=None), learned(300)) == replace(learned(300), source=CapacitySource.LEARNED)
    assert best(BOUND) == HINT


def test_a_lower_bound_replaces_less_and_nothing() -> None:
    assert best(BOUND, learned(80)) == FRESH
    assert best(BOUND, hint=False) == FRESH


def test_one_size_of_batches_that_are_well_filled_is_believed() -> None:
    assert best(replace(BOUND, fill=0.5), learned(300)) == FRESH


def test_what_was_learned_is_better_than_the_hint() -> None:
    assert best(NOTHING, learned(300)) == replace(learned(300), source=CapacitySource.LEARNED)


def test_a_new_template_forgets_what_was_learned_of_another() -> None:
    assert best(NOTHING, learned(300, "old")) == HINT
    assert best(NOTHING, learned(300, "old"), hint=False) is None
    assert best(BOUND, learned(300, "old")) == HINT


def test_without_pods_what_was_learned_is_believed() -> None:
    assert best(NOTHING, learned(300, "old"), template="") == replace(
        learned(300, "old"), source=CapacitySource.LEARNED
    )


def test_without_anything_there_is_no_capacity() -> None:
    assert best(NOTHING) == HINT
    assert best(NOTHING, hint=False) is None
