from collections.abc import Callable
from dataclasses import replace

import pytest

from doorbuster_cluster.host.differences import differences
from doorbuster_cluster.host.machine_state import Chain, MachineState
from tests.unit.cluster.host.states import UNUSED, chain


def told(before: MachineState, after: MachineState) -> list[str]:
    return [str(difference) for difference in differences(before, after)]


def told_of_chains(before: tuple[Chain, ...], after: tuple[Chain, ...]) -> list[str]:
    return told(replace(UNUSED, chains=before), replace(UNUSED, chains=after))


def test_the_same_state_has_no_differences() -> None:
    assert told(UNUSED, UNUSED) == []


def test_sysctls_count_where_both_states_have_them() -> None:
    after = {"net.ipv4.ip_forward": "1", "vm.overcommit_memory": "0", "net.ipv4.conf.docker0.forwarding": "1"}

    assert told(UNUSED, replace(UNUSED, sysctls=after)) == ["sysctl net.ipv4.ip_forward: was 0, is 1"]
    assert told(replace(UNUSED, sysctls=after), replace(UNUSED, sysctls={})) == []


@pytest.mark.parametrize(
    ("state_with", "kind"),
    [
        (lambda names: replace(UNUSED, nft_tables=names), "nft table"),
        (lambda names: replace(UNUSED, links=names), "network interface"),
        (lambda names: replace(UNUSED, routes=names), "route"),
        (lambda names: replace(UNUSED, mounts=names), "mount"),
        (lambda names: replace(UNUSED, cgroups=names), "control group"),
        (lambda names: replace(UNUSED, namespaces=names), "network namespace"),
        (lambda names: replace(UNUSED, files=names), "file"),
    ],
    ids=["tables", "links", "routes", "mounts", "control groups", "namespaces", "files"],
)
def test_what_is_gone_and_what_is_new_are_differences(
    state_with: Callable[[tuple[str, ...]], MachineState], kind: str
) -> None:
    assert told(state_with(("a", "b")), state_with(("b", "c"))) == [f"{kind} a: is gone", f"{kind} c: is new"]


FORWARD = "firewall chain iptables-nft filter FORWARD"


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param(
            (), (chain("FORWARD", policy="DROP"),), [f"{FORWARD}: its policy was unused, is DROP"], id="policy"
        ),
        pytest.param(
            (chain("FORWARD", "-j A", "-j B", policy="DROP"),),
            (chain("FORWARD", "-j B", "-j C", policy="DROP"),),
            [f"{FORWARD}: rule is gone: -A FORWARD -j A", f"{FORWARD}: rule is new: -A FORWARD -j C"],
            id="rules",
        ),
        pytest.param(
            (chain("FORWARD", "-j A", "-j B", policy="DROP"),),
            (chain("FORWARD", "-j B", "-j A", policy="DROP"),),
            [f"{FORWARD}: its rules are in another order"],
            id="order",
        ),
        pytest.param(
            (chain("FORWARD", "-j A", policy="DROP"),),
            (chain("FORWARD", "-j A", "-j A", policy="DROP"),),
            [f"{FORWARD}: rule is new: -A FORWARD -j A"],
            id="the same rule twice",
        ),
        pytest.param(
            (chain("mine"),),
            (),
            ["firewall chain iptables-nft filter mine: its policy was -, is unused"],
            id="a chain is gone",
        ),
    ],
)
def test_chains_differ_by_policy_rules_and_order(
    before: tuple[Chain, ...], after: tuple[Chain, ...], expected: list[str]
) -> None:
    assert told_of_chains(before, after) == expected


def test_the_same_chain_of_another_flavour_is_another_chain() -> None:
    legacy = replace(chain("mine"), backend="iptables-legacy")

    assert len(told_of_chains((chain("mine"),), (legacy,))) == 2


def test_another_boot_alone_is_no_difference() -> None:
    assert told(UNUSED, replace(UNUSED, boot_id="boot-2")) == []
