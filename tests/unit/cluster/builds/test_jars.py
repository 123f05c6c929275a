import hashlib
import re
from pathlib import Path

import pytest

from doorbuster_cluster.builds.jars import fetch_jars, verify_jars
from doorbuster_cluster.errors import ClusterError, CommandFailed
from doorbuster_cluster.settings import REPOSITORY
from tests.unit.cluster.conftest import FakeProgram

KAFKA = REPOSITORY / "cluster" / "images" / "kafka"
# Puts one jar where it is told to.
MAVEN = 'for word; do case $word in -DoutputDirectory=*) folder=${word#*=};; esac; done; mkdir -p "$folder"; '


def checksums(folder: Path, **jars: str) -> Path:
    """Return a file of checksums for jars of these contents."""
    lines = [f"{hashlib.sha256(content.encode()).hexdigest()}  {name}.jar\n" for name, content in jars.items()]
    path = folder / "jars.sha256"
    path.write_text("".join(lines))
    return path


def filled(folder: Path, **jars: str) -> Path:
    folder.mkdir()
    for name, content in jars.items():
        (folder / f"{name}.jar").write_text(content)
    return folder


def test_the_very_jars_that_are_listed_pass(tmp_path: Path) -> None:
    verify_jars(filled(tmp_path / "jars", a="one", b="two"), checksums(tmp_path, a="one", b="two"))


@pytest.mark.parametrize(
    ("jars", "named"),
    [
        pytest.param({"a": "one"}, "1 jars differ from jars.sha256: b.jar", id="missing"),
        pytest.param({"a": "one", "b": "two", "c": "x"}, "1 jars differ from jars.sha256: c.jar", id="unknown"),
        pytest.param({"a": "one", "b": "TWO"}, "1 jars differ from jars.sha256: b.jar", id="changed"),
        pytest.param({"b": "TWO", "c": "x"}, "3 jars differ from jars.sha256: a.jar, b.jar, c.jar", id="all of it"),
    ],
)
def test_jars_that_differ_are_named(tmp_path: Path, jars: dict[str, str], named: str) -> None:
    with pytest.raises(ClusterError) as refusal:
        verify_jars(filled(tmp_path / "jars", **jars), checksums(tmp_path, a="one", b="two"))

    assert str(refusal.value) == named
    assert refusal.value.hint == "if the versions were changed on purpose, write the checksums anew"


def test_of_many_jars_that_differ_the_first_are_named(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match=r"^7 jars differ from jars.sha256: a.jar, b.jar, c.jar, d.jar, e.jar$"):
        verify_jars(filled(tmp_path / "jars", **dict.fromkeys("abcdefg", "x")), checksums(tmp_path))


def pom(folder: Path) -> Path:
    path = folder / "pom.xml"
    path.write_text("<project/>")
    return path


def test_jars_are_fetched_once(tmp_path: Path, fake_program: FakeProgram) -> None:
    calls = fake_program("mvn", MAVEN + 'printf one > "$folder/a.jar"')
    wanted = checksums(tmp_path, a="one")

    folder = fetch_jars(pom(tmp_path), wanted, tmp_path / "cache")
    again = fetch_jars(pom(tmp_path), wanted, tmp_path / "cache")

    assert again == folder
    assert [path.name for path in folder.iterdir()] == ["a.jar"]
    assert len(calls.read_text().splitlines()) == 1
    assert f"-f {tmp_path / 'pom.xml'} " in calls.read_text()


def test_jars_that_differ_are_not_kept_and_fetched_anew(tmp_path: Path, fake_program: FakeProgram) -> None:
    fake_program("mvn", MAVEN + 'printf wrong > "$folder/a.jar"; printf x > "$folder/stranger.jar"')
    wanted = checksums(tmp_path, a="one")
    with pytest.raises(ClusterError, match=r"a\.jar, stranger\.jar"):
        fetch_jars(pom(tmp_path), wanted, tmp_path / "cache")

    fake_program("mvn", MAVEN + 'printf one > "$folder/a.jar"')

    assert [path.name for path in fetch_jars(pom(tmp_path), wanted, tmp_path / "cache").iterdir()] == ["a.jar"]


def test_a_changed_pom_or_checksum_is_another_folder(tmp_path: Path, fake_program: FakeProgram) -> None:
    fake_program("mvn", MAVEN + 'printf one > "$folder/a.jar"')
    project, wanted = pom(tmp_path), checksums(tmp_path, a="one")
    folders = {fetch_jars(project, wanted, tmp_path / "cache")}

    project.write_text("<project><!-- other --></project>")
    folders.add(fetch_jars(project, wanted, tmp_path / "cache"))
    wanted.write_text(wanted.read_text().replace("  a.jar", "   a.jar"))
    folders.add(fetch_jars(project, wanted, tmp_path / "cache"))

    assert len(folders) == 3


def test_a_failure_of_maven_is_shown(tmp_path: Path, fake_program: FakeProgram) -> None:
    fake_program("mvn", "echo 'Could not find artifact' >&2; exit 1")

    with pytest.raises(CommandFailed, match="Could not find artifact"):
        fetch_jars(pom(tmp_path), checksums(tmp_path), tmp_path / "cache")


def test_the_listed_jars_are_those_of_the_kafka_that_the_pom_names() -> None:
    version = re.findall(
        r"<artifactId>kafka_2.13</artifactId>\s*<version>(.*?)</version>", (KAFKA / "pom.xml").read_text()
    )
    lines = [line.split() for line in (KAFKA / "jars.sha256").read_text().splitlines()]
    listed = {name: checksum for checksum, name in lines}

    assert f"kafka_2.13-{version[0]}.jar" in listed
    assert all(re.fullmatch(r"[0-9a-f]{64}", checksum) for checksum in listed.values())
