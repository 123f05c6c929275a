import pytest

from doorbuster_cluster.host.programs import ProgramFacts, find_with_version, parse_version
from tests.unit.cluster.conftest import FakeProgram


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Docker version 28.2.2, build e6534b4", (28, 2, 2)),
        ("kind v0.33.0 go1.26.8 linux/amd64", (0, 33, 0)),
        ("v4.3.1+gb9f5df4", (4, 3, 1)),
        ("Client Version: v1.35.4\nKustomize Version: v5.7.1", (1, 35, 4)),
        ("go1.26.8\n", (1, 26, 8)),
        ('openjdk version "17.0.15" 2025-04-15', (17, 0, 15)),
        ("\x1b[1mApache Maven 3.8.7\x1b[m\n", (3, 8, 7)),
        ("devel", None),
        ("", None),
    ],
)
def test_the_first_version_number_counts(text: str, expected: tuple[int, ...] | None) -> None:
    assert parse_version(text) == expected


def test_a_program_is_asked_for_its_version_without_a_cluster(fake_program: FakeProgram) -> None:
    calls = fake_program("kubectl", "echo Client Version: v1.35.4")

    assert find_with_version("kubectl") == ProgramFacts(path=str(calls.with_suffix("")), version=(1, 35, 4))
    assert calls.read_text() == "version --client\n"


def test_java_tells_its_version_on_standard_error(fake_program: FakeProgram) -> None:
    fake_program("java", "echo 'openjdk version \"21.0.9\"' >&2")

    java = find_with_version("java")

    assert java is not None
    assert java.shown_version == "21.0.9"


def test_a_program_that_does_not_run_has_no_version(fake_program: FakeProgram) -> None:
    program = fake_program("helm", "").with_suffix("")
    program.write_text("not a program")

    helm = find_with_version("helm")

    assert helm == ProgramFacts(path=str(program), version=None)
    assert helm.shown_version == "of an unknown version"


def test_a_program_that_is_not_on_path_has_no_facts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    assert find_with_version("mvn") is None
