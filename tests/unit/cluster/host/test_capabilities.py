from pathlib import Path

import pytest

from doorbuster_cluster.host.capabilities import Capability, has_capability


@pytest.mark.parametrize(
    ("effective", "expected"),
    [
        pytest.param("000001ffffffffff", True, id="all of them"),
        pytest.param("000001fffeffffff", False, id="all but this one"),
        pytest.param("0000000001000000", True, id="only this one"),
        pytest.param("0000000000000000", False, id="none, as for an ordinary user"),
    ],
)
def test_the_effective_set_decides(tmp_path: Path, effective: str, *, expected: bool) -> None:
    status = tmp_path / "status"
    status.write_text(f"Name:\tpython\nCapPrm:\t000001ffffffffff\nCapEff:\t{effective}\n")

    assert has_capability(Capability.SYS_RESOURCE, status) is expected


def test_without_the_kernels_word_it_is_not_known(tmp_path: Path) -> None:
    assert has_capability(Capability.SYS_RESOURCE, tmp_path / "none") is None
