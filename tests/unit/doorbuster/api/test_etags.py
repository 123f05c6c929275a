import pytest

from doorbuster.api.etags import etag_of, matches

TAG = etag_of("1", 7)


def test_a_tag_is_of_a_form_and_a_version() -> None:
    assert TAG == '"1.7"'


@pytest.mark.parametrize("header", ['"1.7"', 'W/"1.7"', '"1.6", "1.7"', '"1.6",W/"1.7" ', "*", " * "])
def test_a_client_has_what_it_names(header: str) -> None:
    assert matches(header, TAG)


@pytest.mark.parametrize("header", [None, "", '"1.6"', "1.7", '"1.70"', '"x1.7"', '"a,"1.7', "**"])
def test_and_nothing_else(header: str | None) -> None:
    assert not matches(header, TAG)
