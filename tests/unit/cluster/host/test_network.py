from doorbuster_cluster.host.network import parse_routes, read_links

LISTED = """[
 {"dst": "default", "gateway": "192.0.2.1", "dev": "eth0", "flags": []},
 {"dst": "172.17.0.0/16", "dev": "docker0", "protocol": "kernel", "scope": "link", "prefsrc": "172.17.0.1",
  "flags": ["linkdown"]},
 {"dst": "default", "gateway": "fe80::1", "dev": "eth0", "protocol": "ra", "metric": 1024, "expires": 1742},
 {"type": "local", "dst": "::1", "dev": "lo", "table": "local", "protocol": "kernel", "metric": 0, "pref": "medium"}
]"""


def test_routes_are_lines_without_what_changes_by_itself() -> None:
    assert parse_routes(LISTED) == [
        "dst=default gateway=192.0.2.1 dev=eth0",
        "dst=172.17.0.0/16 dev=docker0 scope=link prefsrc=172.17.0.1",
        "type=local dst=::1 dev=lo table=local metric=0",
    ]


def test_no_output_is_no_routes() -> None:
    assert parse_routes("") == []


def test_the_loopback_interface_is_among_the_links() -> None:
    assert any(name.startswith("lo") for name in read_links())
