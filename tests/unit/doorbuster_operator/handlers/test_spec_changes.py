from doorbuster_operator.handlers.spec_changes import SpecChanges


def test_an_object_is_new_once() -> None:
    changes = SpecChanges()

    assert changes.is_new(uid="a", generation=1, deleted=False)
    assert not changes.is_new(uid="a", generation=1, deleted=False), "the operator's own status"


def test_another_spec_is_new() -> None:
    changes = SpecChanges()
    changes.is_new(uid="a", generation=1, deleted=False)

    assert changes.is_new(uid="a", generation=2, deleted=False)


def test_an_object_that_goes_is_news_once_and_is_new_when_it_returns() -> None:
    changes = SpecChanges()
    changes.is_new(uid="a", generation=1, deleted=False)

    assert changes.is_new(uid="a", generation=1, deleted=True)
    assert not changes.is_new(uid="a", generation=1, deleted=True)
    assert changes.is_new(uid="a", generation=1, deleted=False)
