"""What the tests of the shell share."""

from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Without it each error that a test makes is drawn as a picture, which takes half a second."""
    with capture_logs():
        yield
