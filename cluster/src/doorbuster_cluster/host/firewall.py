"""Reads the firewall: what iptables' two flavours show, and the tables that nft knows.

Both flavours can hold rules at the same time, and each shows only its own.
"""

import json

from doorbuster_cluster.host.machine_state import Chain
from doorbuster_cluster.host.packages import find_program
from doorbuster_cluster.process import attempt

# Every pair that Debian's package iptables installs.
BACKENDS = ("iptables-nft", "iptables-legacy", "ip6tables-nft", "ip6tables-legacy")
READ_SECONDS = 20.0


def read_chains() -> tuple[Chain, ...]:
    """Return the chains of all flavours that somebody made or used.

    Where the programs aren't installed there is nothing to show: no engine can have changed what no program can.
    """
    chains: list[Chain] = []
    for backend in BACKENDS:
        if find_program(f"{backend}-save"):
            done = attempt([f"{backend}-save"], timeout_seconds=READ_SECONDS)
            chains += parse_chains(backend, done.stdout) if done.ok else []
    return tuple(sorted(chains))


def parse_chains(backend: str, saved: str) -> list[Chain]:
    """Return the chains in the output of iptables-save, without those that nobody has used."""
    policies: dict[tuple[str, str], str] = {}
    rules: dict[tuple[str, str], list[str]] = {}
    table = ""
    for line in saved.splitlines():
        match line[:1]:
            case "*":
                table = line[1:].strip()
            case ":":
                name, policy, *_ = line[1:].split()
                policies[table, name] = policy
            case "-":
                rules.setdefault((table, line.split(maxsplit=2)[1]), []).append(line.strip())
    chains = (
        Chain(backend=backend, table=table, name=name, policy=policy, rules=tuple(rules.get((table, name), ())))
        for (table, name), policy in policies.items()
    )
    return [chain for chain in chains if not chain.is_untouched]


def read_nft_tables() -> tuple[str, ...]:
    """Return the names of all tables that nft knows; none where nft isn't installed."""
    if not find_program("nft"):
        return ()
    done = attempt(["nft", "--json", "list", "tables"], timeout_seconds=READ_SECONDS)
    return parse_nft_tables(done.stdout) if done.ok else ()


def parse_nft_tables(listed: str) -> tuple[str, ...]:
    """Return the names, such as `ip filter`, in the output of `nft --json list tables`."""
    items = json.loads(listed).get("nftables", [])
    tables = (item["table"] for item in items if "table" in item)
    return tuple(sorted(f"{table['family']} {table['name']}" for table in tables))
