"""Hosts of package registries and mirrors, which no file of this repository may name.

A machine that reaches packages by another way than ours must be able to use every file as it is. Read from this
machine's own configuration, because there a slip would come from; well-known ones are put together from their parts,
so that this file doesn't name them either.
"""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from doorbuster_cluster.host.packages import find_program
from doorbuster_cluster.process import attempt

WELL_KNOWN = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("proxy", "golang", "org"),
        ("sum", "golang", "org"),
        ("registry", "npmjs", "org"),
        ("registry", "yarnpkg", "com"),
        ("deb", "debian", "org"),
        ("security", "debian", "org"),
        ("snapshot", "debian", "org"),
        ("repo", "maven", "apache", "org"),
        ("repo1", "maven", "org"),
    )
)
# What each package manager says about where it fetches from; those that aren't installed have nothing to say.
QUESTIONS = (
    ("pip", "config", "list"),
    ("go", "env", "GOPROXY", "GOSUMDB"),
    ("npm", "config", "get", "registry"),
    ("apt-get", "indextargets", "--format", "$(REPO_URI)"),
)
VARIABLES = (
    "PIP_INDEX_URL",
    "PIP_EXTRA_INDEX_URL",
    "UV_INDEX_URL",
    "UV_DEFAULT_INDEX",
    "GOPROXY",
    "NPM_CONFIG_REGISTRY",
)
CONFIGURATIONS = ("~/.m2/settings.xml", "~/.config/uv/uv.toml", "/etc/uv/uv.toml", "/etc/pip.conf", "~/.npmrc")
ADDRESS = re.compile(r"https?://[^\s'\"<>,|;]+")
QUESTION_SECONDS = 30.0


def package_hosts() -> frozenset[str]:
    """Return the hosts, those of this machine and the well-known ones."""
    addresses = (address for text in _configuration() for address in ADDRESS.findall(text))
    hosts = {urlsplit(address).hostname or "" for address in addresses}
    return frozenset(WELL_KNOWN) | {host for host in hosts if _names_a_registry(host)}


def _names_a_registry(host: str) -> bool:
    # Numbers and localhost are everybody's, and templates of configuration files name examples.
    return "." in host and re.search(r"[a-z]", host) is not None and "example" not in host


def _configuration() -> Iterator[str]:
    for program, *arguments in QUESTIONS:
        path = find_program(program)
        if path:
            yield attempt([path, *arguments], timeout_seconds=QUESTION_SECONDS).stdout
    yield json.dumps([os.environ.get(name, "") for name in VARIABLES])
    for name in CONFIGURATIONS:
        path_of_file = Path(name).expanduser()
        if path_of_file.is_file():
            yield path_of_file.read_text(errors="replace")
