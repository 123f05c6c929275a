from dataclasses import replace
from pathlib import Path

import pytest

from doorbuster_cluster.errors import ClusterError, HostNotRestored
from doorbuster_cluster.host.kernel import read_boot_id
from doorbuster_cluster.host.machine_state import write_record
from doorbuster_cluster.host.restore import read_machine_state, read_record, record_machine_state, verify
from tests.unit.cluster.host.states import UNUSED

THIS_BOOT = replace(UNUSED, boot_id=read_boot_id())


@pytest.fixture
def record(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "machine.json"


def test_the_first_run_records_the_machine(record: Path, tmp_path: Path) -> None:
    state = record_machine_state(record, tmp_path / "engine")

    assert read_record(record) == state
    assert state.boot_id == read_boot_id()


def test_a_record_of_this_boot_is_kept_by_later_runs(record: Path, tmp_path: Path) -> None:
    write_record(record, THIS_BOOT)

    assert record_machine_state(record, tmp_path / "engine") == THIS_BOOT
    assert read_record(record) == THIS_BOOT


def test_a_record_of_an_earlier_boot_is_replaced(record: Path, tmp_path: Path) -> None:
    write_record(record, UNUSED)
    assert read_record(record) is None

    assert record_machine_state(record, tmp_path / "engine").boot_id == read_boot_id()


def test_without_a_record_there_is_none(record: Path) -> None:
    assert read_record(record) is None


def test_a_damaged_record_is_not_replaced(record: Path, tmp_path: Path) -> None:
    record.parent.mkdir()
    record.write_text("{")

    with pytest.raises(ClusterError, match="can't be read"):
        record_machine_state(record, tmp_path / "engine")

    assert record.read_text() == "{"


def test_a_difference_is_told_with_the_commands_that_failed(tmp_path: Path) -> None:
    before = replace(read_machine_state(tmp_path), namespaces=("never-was",))

    with pytest.raises(HostNotRestored) as refusal:
        verify(before, tmp_path, ["ip netns delete cni-1: no such thing"])

    lines = str(refusal.value).splitlines()
    assert lines[0] == "the machine is not as it was before:"
    assert "  network namespace never-was: is gone" in lines
    assert lines[-1] == "  ip netns delete cni-1: no such thing"
