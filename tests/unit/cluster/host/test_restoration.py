from dataclasses import replace

import pytest

from doorbuster_cluster.host.machine_state import Chain, MachineState
from doorbuster_cluster.host.restoration import RestoreStep, restoration
from tests.unit.cluster.host.states import UNUSED, chain

NETWORK = "br-87289cc938e8"
# As Docker 20.10 leaves them with one container that publishes a port.
DOCKERS_FILTER = (
    chain("DOCKER", f"-d 172.18.0.2/32 ! -i {NETWORK} -o {NETWORK} -p tcp -m tcp --dport 80 -j ACCEPT"),
    chain("DOCKER-USER", "-j RETURN"),
    chain(
        "FORWARD", "-j DOCKER-USER", f"-o {NETWORK} -j DOCKER", f"-i {NETWORK} ! -o {NETWORK} -j ACCEPT", policy="DROP"
    ),
)
DOCKERS_NAT = (
    chain("DOCKER", f"! -i {NETWORK} -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.18.0.2:80", table="nat"),
    chain(
        "POSTROUTING",
        f"-s 172.18.0.0/16 ! -o {NETWORK} -j MASQUERADE",
        "-s 172.18.0.2/32 -d 172.18.0.2/32 -p tcp -m tcp --dport 80 -j MASQUERADE",
        policy="ACCEPT",
        table="nat",
    ),
    chain("PREROUTING", "-m addrtype --dst-type LOCAL -j DOCKER", policy="ACCEPT", table="nat"),
)


def steps(before: MachineState, after: MachineState) -> list[tuple[str, ...]]:
    return [step.argv for step in restoration(before, after)]


def firewall_lines(before: tuple[Chain, ...], after: tuple[Chain, ...]) -> list[str]:
    """Return what iptables-restore is fed, without the table's frame."""
    found = restoration(replace(UNUSED, chains=before), replace(UNUSED, chains=after))
    return [line for step in found for line in (step.stdin or "").splitlines() if line[0] == "-"]


def test_an_unchanged_machine_needs_nothing() -> None:
    assert restoration(UNUSED, UNUSED) == ()


def test_an_engines_chains_go_after_the_rules_that_lead_to_them() -> None:
    after = replace(UNUSED, chains=tuple(sorted(DOCKERS_FILTER + DOCKERS_NAT)))

    assert restoration(UNUSED, after) == (
        RestoreStep(
            argv=("iptables-nft-restore", "--noflush"),
            stdin=f"""\
*filter
-D FORWARD -j DOCKER-USER
-D FORWARD -o {NETWORK} -j DOCKER
-D FORWARD -i {NETWORK} ! -o {NETWORK} -j ACCEPT
-P FORWARD ACCEPT
-F DOCKER
-F DOCKER-USER
-X DOCKER
-X DOCKER-USER
COMMIT
""",
        ),
        RestoreStep(
            argv=("iptables-nft-restore", "--noflush"),
            stdin=f"""\
*nat
-D POSTROUTING -s 172.18.0.0/16 ! -o {NETWORK} -j MASQUERADE
-D POSTROUTING -s 172.18.0.2/32 -d 172.18.0.2/32 -p tcp -m tcp --dport 80 -j MASQUERADE
-D PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-F DOCKER
-X DOCKER
COMMIT
""",
        ),
    )


PERSONS_RULES = (
    chain("FORWARD", "-s 203.0.113.0/24 -j persons-chain", policy="DROP"),
    chain("persons-chain", "-i eth0 -j DROP"),
    chain("POSTROUTING", "-s 198.51.100.0/24 -o eth0 -j MASQUERADE", policy="ACCEPT", table="nat"),
    chain("INPUT", "-i bridge-of-mine -j ACCEPT", policy="DROP"),
)


def test_a_persons_rules_stay_as_they_are() -> None:
    assert firewall_lines(PERSONS_RULES, PERSONS_RULES) == []


@pytest.mark.parametrize("new", PERSONS_RULES[1:], ids=lambda new: new.name)
def test_a_persons_new_rules_are_not_touched(new: Chain) -> None:
    assert firewall_lines((), (new,)) == []


def test_only_our_rules_leave_a_chain_that_both_use() -> None:
    before = chain("FORWARD", "-s 203.0.113.0/24 -j ACCEPT", policy="DROP")
    after = chain("FORWARD", "-o docker0 -j DOCKER", "-s 203.0.113.0/24 -j ACCEPT", "-j MINE", policy="DROP")

    assert firewall_lines((before,), (after,)) == ["-D FORWARD -o docker0 -j DOCKER"]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param((), "DROP", ["-P FORWARD ACCEPT"], id="an engine closed it"),
        pytest.param(("DROP",), "ACCEPT", ["-P FORWARD DROP"], id="it was closed before"),
        pytest.param(("DROP",), "DROP", [], id="it was and is closed"),
    ],
)
def test_forwarding_gets_its_policy_back(before: tuple[str, ...], after: str, expected: list[str]) -> None:
    former = tuple(chain("FORWARD", policy=policy) for policy in before)

    assert firewall_lines(former, (chain("FORWARD", policy=after),)) == expected


def test_policies_that_no_engine_sets_are_left_alone() -> None:
    assert firewall_lines((), (chain("INPUT", policy="DROP"),)) == []


def test_chains_of_a_stopped_engine_get_their_own_rules_back() -> None:
    before = (chain("DOCKER", "-i docker0 -j RETURN"), chain("DOCKER-USER", "-s 203.0.113.7/32 -j DROP", "-j RETURN"))
    after = (chain("DOCKER", "-i br-87289cc938e8 -j RETURN"),)

    assert firewall_lines(before, after) == [
        "-F DOCKER",
        "-N DOCKER-USER",
        "-A DOCKER -i docker0 -j RETURN",
        "-A DOCKER-USER -s 203.0.113.7/32 -j DROP",
        "-A DOCKER-USER -j RETURN",
    ]


def test_both_flavours_are_restored_each_with_its_own_program() -> None:
    after = tuple(
        chain("DOCKER-USER", backend=backend)
        for backend in ("ip6tables-legacy", "ip6tables-nft", "iptables-legacy", "iptables-nft")
    )

    assert [argv[0] for argv in steps(UNUSED, replace(UNUSED, chains=after))] == [
        "ip6tables-legacy-restore",
        "ip6tables-nft-restore",
        "iptables-legacy-restore",
        "iptables-nft-restore",
    ]


@pytest.mark.parametrize(
    ("table", "chains", "expected"),
    [
        pytest.param("ip nat", (), [("nft", "delete", "table", "ip", "nat")], id="empty"),
        pytest.param("ip6 filter", (), [("nft", "delete", "table", "ip6", "filter")], id="empty, version 6"),
        pytest.param("ip nat", (chain("persons-chain", table="nat"),), [], id="with a person's chain"),
        pytest.param("inet mine", (), [], id="a person's own"),
        pytest.param("ip mine", (), [], id="a person's own in the same family"),
    ],
)
def test_a_new_table_goes_when_it_is_iptables_own_and_empty(
    table: str, chains: tuple[Chain, ...], expected: list[tuple[str, ...]]
) -> None:
    assert steps(UNUSED, replace(UNUSED, nft_tables=(table,), chains=chains)) == expected


def test_a_table_that_was_there_before_stays() -> None:
    before = replace(UNUSED, nft_tables=("ip nat",))

    assert steps(before, before) == []


@pytest.mark.parametrize(
    ("name", "is_ours"),
    [
        ("docker0", True),
        ("br-87289cc938e8", True),
        ("veth5444af3", True),
        ("br-lan", False),
        ("br0", False),
        ("veth0", False),
        ("docker01", False),
        ("wg0", False),
    ],
)
def test_a_new_link_is_deleted_when_an_engine_named_it(name: str, *, is_ours: bool) -> None:
    after = replace(UNUSED, links=(*UNUSED.links, name))

    assert steps(UNUSED, after) == ([("ip", "link", "delete", name)] if is_ours else [])


def test_a_link_that_was_there_before_stays() -> None:
    before = replace(UNUSED, links=("docker0", "lo"))

    assert steps(before, before) == []


@pytest.mark.parametrize(
    ("name", "is_ours"), [("cni-0a1b2c3d-4e5f-6a7b-8c9d-0e1f2a3b4c5d", True), ("cni-mine", False), ("blue", False)]
)
def test_a_new_namespace_is_deleted_when_a_network_plugin_named_it(name: str, *, is_ours: bool) -> None:
    after = replace(UNUSED, namespaces=(name,))

    assert steps(UNUSED, after) == ([("ip", "netns", "delete", name)] if is_ours else [])


def test_mounts_go_from_the_inside_out_and_before_the_files_below_them() -> None:
    after = replace(
        UNUSED, mounts=("/run/docker", "/run/docker/netns/a"), files=("/etc/docker/key.json", "/run/docker")
    )

    assert steps(UNUSED, after) == [
        ("umount", "--lazy", "/run/docker/netns/a"),
        ("umount", "--lazy", "/run/docker"),
        ("rm", "--recursive", "--force", "--one-file-system", "/run/docker"),
        ("rm", "--recursive", "--force", "--one-file-system", "/etc/docker/key.json"),
    ]


def test_new_control_groups_go_from_the_inside_out() -> None:
    before = replace(UNUSED, cgroups=("/sys/fs/cgroup/cpu/docker",))
    after = replace(UNUSED, cgroups=("/sys/fs/cgroup/cpu/docker", "/sys/fs/cgroup/cpu/kubelet"))

    assert steps(before, after) == [("find", "/sys/fs/cgroup/cpu/kubelet", "-depth", "-type", "d", "-delete")]


def test_sysctls_are_written_forwarding_first_because_it_sets_others() -> None:
    names = (
        "kernel.panic",
        "net.ipv4.conf.all.accept_redirects",
        "net.ipv4.conf.default.forwarding",
        "net.ipv4.conf.eth0.forwarding",
        "net.ipv4.ip_forward",
        "net.ipv6.conf.all.forwarding",
    )
    before = replace(UNUSED, sysctls=dict.fromkeys(names, "0"))
    after = replace(UNUSED, sysctls=dict.fromkeys(names, "1"))

    found = restoration(before, after)

    assert [step.argv for step in found] == [
        ("tee", "/proc/sys/net/ipv4/ip_forward"),
        ("tee", "/proc/sys/net/ipv6/conf/all/forwarding"),
        ("tee", "/proc/sys/net/ipv4/conf/all/accept_redirects"),
        ("tee", "/proc/sys/net/ipv4/conf/default/forwarding"),
        ("tee", "/proc/sys/kernel/panic"),
        ("tee", "/proc/sys/net/ipv4/conf/eth0/forwarding"),
    ]
    assert {step.stdin for step in found} == {"0"}


def test_sysctls_that_are_gone_are_not_written() -> None:
    before = replace(UNUSED, sysctls={"net.ipv4.conf.wg0.forwarding": "1"})

    assert steps(before, replace(UNUSED, sysctls={})) == []


def test_links_and_routes_that_are_gone_are_for_a_person_to_bring_back() -> None:
    assert steps(UNUSED, replace(UNUSED, links=("lo",), routes=())) == []
