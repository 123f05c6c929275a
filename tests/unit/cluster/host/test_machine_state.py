import json
from dataclasses import replace
from pathlib import Path

import pytest

from doorbuster_cluster.errors import ClusterError
from doorbuster_cluster.host.machine_state import Chain, MachineState, from_json, to_json, write_record
from tests.unit.cluster.host.states import UNUSED, chain

USED = replace(
    UNUSED,
    chains=(chain("FORWARD", '-m comment --comment "ä b" -j DROP', policy="DROP"), chain("mine")),
    nft_tables=("inet mine",),
    namespaces=("blue",),
)


@pytest.mark.parametrize("state", [UNUSED, USED], ids=["unused", "used"])
def test_a_state_survives_the_way_through_a_file(tmp_path: Path, state: MachineState) -> None:
    record = tmp_path / "state" / "machine.json"

    write_record(record, state)

    assert from_json(record.read_text()) == state
    assert list(record.parent.iterdir()) == [record]


def without(key: str) -> str:
    return json.dumps({name: value for name, value in json.loads(to_json(USED)).items() if name != key})


@pytest.mark.parametrize("key", json.loads(to_json(USED)))
def test_a_record_that_lacks_something_is_refused(key: str) -> None:
    with pytest.raises(ClusterError, match=rf"can't be read: '{key}'"):
        from_json(without(key))


@pytest.mark.parametrize("text", ["", "{", "[]", '{"chains": 5}'])
def test_a_damaged_record_is_refused(text: str) -> None:
    with pytest.raises(ClusterError, match="the record of the machine's former state can't be read"):
        from_json(text)


@pytest.mark.parametrize(
    ("state", "untouched"),
    [
        (chain("FORWARD", policy="ACCEPT"), True),
        (chain("FORWARD", policy="DROP"), False),
        (chain("FORWARD", "-j DROP", policy="ACCEPT"), False),
        (chain("mine"), False),
    ],
    ids=["the kernel's own, unused", "with a policy", "with a rule", "somebody made it"],
)
def test_a_chain_is_untouched_only_as_the_kernel_made_it(state: Chain, *, untouched: bool) -> None:
    assert state.is_untouched is untouched
