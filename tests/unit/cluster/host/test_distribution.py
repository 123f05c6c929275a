from pathlib import Path

import pytest

from doorbuster_cluster.host.distribution import Distribution, read_distribution

BOOKWORM = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_ID="12"\nID=debian\n'
SID = 'PRETTY_NAME="Debian GNU/Linux forky/sid"\nID=debian\n'
UBUNTU = '# a comment=1\nVERSION_ID="24.04"\nID=ubuntu\nID_LIKE=debian\n'


@pytest.mark.parametrize(
    ("content", "expected", "is_debian"),
    [
        pytest.param(BOOKWORM, Distribution(id="debian", version=12), True, id="Debian's stable release"),
        pytest.param(SID, Distribution(id="debian", version=None), True, id="Debian's sid has no version"),
        pytest.param(UBUNTU, Distribution(id="ubuntu", version=24), False, id="a descendant isn't Debian"),
        pytest.param("", Distribution(id=None, version=None), False, id="an empty file"),
    ],
)
def test_the_distribution_is_what_os_release_says(
    tmp_path: Path, content: str, expected: Distribution, *, is_debian: bool
) -> None:
    file = tmp_path / "os-release"
    file.write_text(content)

    assert read_distribution(file) == expected
    assert read_distribution(file).is_debian is is_debian


def test_a_system_without_os_release_has_no_distribution(tmp_path: Path) -> None:
    assert read_distribution(tmp_path / "none") == Distribution(id=None, version=None)
