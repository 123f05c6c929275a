import re

import pytest

from doorbuster_cluster.process import run
from doorbuster_cluster.settings import REPOSITORY
from tests.architecture.package_hosts import WELL_KNOWN, package_hosts
from tests.architecture.repository import all_files, shown, text_of


@pytest.fixture(scope="module")
def hosts() -> re.Pattern[str]:
    # A host is not part of a longer name: "mypypi.org.example" is somebody else's.
    return re.compile(rf"(?<![\w-])({'|'.join(map(re.escape, sorted(package_hosts())))})(?![\w-])")


def test_the_well_known_hosts_are_recognised(hosts: re.Pattern[str]) -> None:
    assert all(hosts.search(f"https://{host}/simple") for host in WELL_KNOWN)
    assert hosts.search("files." + WELL_KNOWN[1]) is not None


def test_no_file_names_a_package_registry(hosts: re.Pattern[str]) -> None:
    found = {shown(path): sorted(set(hosts.findall(text_of(path)))) for path in all_files()}

    assert {path: names for path, names in found.items() if names} == {}


def test_no_commit_names_a_package_registry(hosts: re.Pattern[str]) -> None:
    # Loose, because git has no look-behind; what it finds is looked at again.
    loosely = "|".join(host.replace(".", "[.]") for host in sorted(package_hosts()))
    changes = run(["git", "log", "--all", "--patch", "-G", loosely, "--format=%h %s"], cwd=REPOSITORY)
    messages = run(["git", "log", "--all", "--format=%h %B"], cwd=REPOSITORY)

    assert hosts.findall(changes) == []
    assert hosts.findall(messages) == []
