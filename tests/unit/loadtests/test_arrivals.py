from pathlib import Path

import pytest

from loadtests.arrivals import Arrivals, arrivals_path, read_arrivals, write_arrivals
from loadtests.errors import WitnessDamaged


def test_the_file_stands_beside_the_witness() -> None:
    assert arrivals_path(Path("out/demo/orders.jsonl")) == Path("out/demo/orders.arrivals.json")


def test_the_last_content_is_read(tmp_path: Path) -> None:
    path = tmp_path / "run" / "orders.arrivals.json"
    begun = Arrivals(started_at=5.5, scheduled=10)
    ended = Arrivals(started_at=5.5, scheduled=10, begun=7, too_late=2, no_room=1, latest_seconds=0.25, finished=True)

    write_arrivals(path, begun)
    write_arrivals(path, ended)

    assert read_arrivals(path) == ended
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"started_at": 1, "scheduled": 1, "other": 1}'])
def test_another_content_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "orders.arrivals.json"
    path.write_text(content)

    with pytest.raises(WitnessDamaged, match="doesn't tell"):
        read_arrivals(path)
