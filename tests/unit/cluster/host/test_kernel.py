from pathlib import Path

import pytest

from doorbuster_cluster.host.kernel import (
    name_of,
    path_of,
    read_boot_id,
    read_cgroups,
    read_files,
    read_mounts,
    read_namespaces,
    read_sysctls,
)

MOUNTINFO = """\
22 27 0:21 / /proc rw,relatime - proc proc rw
42 27 254:0 /x /cache/engine/data rw,relatime shared:1 - ext4 /dev/vda rw
43 27 254:0 /x /cache/engine/my\\040data rw - ext4 /dev/vda rw
44 27 0:5 / /cache/engine-of-another rw - tmpfs tmpfs rw
45 27 0:6 / /cache/engine rw - tmpfs tmpfs rw
46 27 0:7 / /run/docker/netns/default rw - nsfs nsfs rw
"""


def write(root: Path, name: str, value: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value)


def test_sysctls_are_the_watched_names_and_the_whole_network_tree(tmp_path: Path) -> None:
    write(tmp_path, "vm/overcommit_memory", "1\n")
    write(tmp_path, "vm/drop_caches", "0\n")
    write(tmp_path, "kernel/panic", "10\n")
    write(tmp_path, "net/ipv4/ip_forward", "1\n")
    write(tmp_path, "net/ipv4/tcp_rmem", "4096\t131072\t6291456\n")
    write(tmp_path, "net/ipv4/conf/eth0.100/forwarding", "0\n")
    write(tmp_path, "net/netfilter/nf_conntrack_count", "17\n")

    assert read_sysctls(tmp_path) == {
        "vm.overcommit_memory": "1",
        "kernel.panic": "10",
        "net.ipv4.ip_forward": "1",
        "net.ipv4.tcp_rmem": "4096\t131072\t6291456",
        "net.ipv4.conf.eth0/100.forwarding": "0",
    }


def test_values_that_may_not_be_read_are_left_out(tmp_path: Path) -> None:
    write(tmp_path, "net/ipv4/ip_forward", "1")
    (tmp_path / "net" / "binary").write_bytes(b"\xff\xfe")
    (tmp_path / "net" / "gone").symlink_to(tmp_path / "nothing")

    assert read_sysctls(tmp_path) == {"net.ipv4.ip_forward": "1"}


@pytest.mark.parametrize("name", ["net.ipv4.ip_forward", "net.ipv4.conf.eth0/100.forwarding", "vm.panic_on_oom"])
def test_a_name_leads_to_its_file_and_back(name: str) -> None:
    assert name_of(path_of(name)) == name


def test_a_dot_in_an_interface_stays_a_dot_in_the_path() -> None:
    path = Path("/proc/sys/net/ipv4/conf/eth0.100/forwarding")

    assert path_of("net.ipv4.conf.eth0/100.forwarding") == path


def test_this_machines_network_settings_stay_the_same_when_nobody_changes_them() -> None:
    def of_loopback() -> dict[str, str]:
        return {name: value for name, value in read_sysctls().items() if ".lo." in name}

    assert of_loopback() == of_loopback() != {}


def test_mounts_are_those_at_and_below_the_folders(tmp_path: Path) -> None:
    mountinfo = tmp_path / "mountinfo"
    mountinfo.write_text(MOUNTINFO)

    assert read_mounts(["/cache/engine", "/run/docker"], mountinfo) == (
        "/cache/engine",
        "/cache/engine/data",
        "/cache/engine/my data",
        "/run/docker/netns/default",
    )


def test_control_groups_of_version_1_are_in_every_controllers_tree(tmp_path: Path) -> None:
    for group in ("cpu/docker/container", "memory/docker", "memory/user.slice", "pids/kubepods"):
        (tmp_path / group).mkdir(parents=True)

    assert read_cgroups(tmp_path) == tuple(
        f"{tmp_path}/{group}" for group in ("cpu/docker", "memory/docker", "pids/kubepods")
    )


def test_control_groups_of_version_2_are_in_one_tree(tmp_path: Path) -> None:
    for group in ("docker/container", "kubelet.slice", "user.slice", "init.scope"):
        (tmp_path / group).mkdir(parents=True)

    assert read_cgroups(tmp_path) == (f"{tmp_path}/docker", f"{tmp_path}/kubelet.slice")


def test_namespaces_are_those_with_a_name(tmp_path: Path) -> None:
    (tmp_path / "cni-2").touch()
    (tmp_path / "blue").touch()

    assert read_namespaces(tmp_path) == ("blue", "cni-2")
    assert read_namespaces(tmp_path / "none") == ()


def test_files_are_those_that_exist(tmp_path: Path) -> None:
    (tmp_path / "key.json").touch()

    assert read_files([f"{tmp_path}/key.json", f"{tmp_path}/none"]) == (f"{tmp_path}/key.json",)


def test_the_boot_has_a_name() -> None:
    assert len(read_boot_id()) == 36
