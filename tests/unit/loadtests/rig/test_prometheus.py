import pytest

from loadtests.rig.errors import QuestionFailed
from loadtests.rig.prometheus import WATCHED, figures, union


def answer(**values: str) -> object:
    return {"data": {"result": [{"metric": {"figure": name}, "value": [1.0, value]} for name, value in values.items()]}}


def test_several_values_are_one_question() -> None:
    assert union({"lag": "sum(a)", "age": "max(b)"}) == (
        'label_replace(sum(a), "figure", "lag", "", "") or label_replace(max(b), "figure", "age", "", "")'
    )


def test_an_answer_is_read_by_the_names_of_the_questions() -> None:
    assert figures(answer(lag="12", oldest_age="0.5")) == {"lag": 12.0, "oldest_age": 0.5}


def test_what_is_not_a_number_is_not_known() -> None:
    assert figures(answer(lag="NaN", pending="+Inf", oldest_age="1")) == {"oldest_age": 1.0}


def test_an_answer_that_cannot_be_read_is_no_answer() -> None:
    with pytest.raises(QuestionFailed, match="can't be read"):
        figures({"data": {"result": [{"metric": {}, "value": [1.0, "2"]}]}})


def test_the_saga_watch_alone_knows_what_is_pending() -> None:
    # All other processes say NaN, which is no value of 0 or more.
    assert WATCHED["pending"] == "max(sagas_open >= 0)"


def test_an_age_is_no_older_than_three_scrapes() -> None:
    assert WATCHED["oldest_age"].count("[15s]") == 2
