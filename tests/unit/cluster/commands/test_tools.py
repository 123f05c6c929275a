from pathlib import Path

from doorbuster_cluster.builds.go_programs import PROGRAMS
from doorbuster_cluster.commands.session import Session
from doorbuster_cluster.commands.tools import provide_tools
from tests.unit.cluster.conftest import FakeProgram

COMPILER = '[ "$1" = env ] && echo go1.26.8 || { while [ "$1" != -o ]; do shift; done; touch "$2"; }'


def test_a_program_on_path_is_linked(session: Session, fake_program: FakeProgram) -> None:
    on_path = fake_program("helm", "echo v4.3.1").with_name("helm")

    folder = provide_tools(session.settings, session.progress, ("helm",))

    assert (folder, (folder / "helm").readlink()) == (session.settings.cache / "bin", on_path)


def test_a_program_that_is_missing_is_built_once(session: Session, fake_program: FakeProgram) -> None:
    go = fake_program("go", COMPILER)

    provide_tools(session.settings, session.progress, ("helm-unittest",))
    folder = provide_tools(session.settings, session.progress, ("helm-unittest",))

    assert (folder / "helm-unittest").readlink() == session.go.path(PROGRAMS["helm-unittest"])
    assert go.read_text().count("build ") == 1


def test_kubectl_is_the_kubernetes_program(session: Session, fake_program: FakeProgram) -> None:
    fake_program("go", COMPILER)
    fake_program("kubectl", "echo 'Client Version: v1.20.0'")

    folder = provide_tools(session.settings, session.progress, ("kubectl",))

    assert (folder / "kubectl").resolve() == session.go.path(PROGRAMS["hyperkube"])


def test_promtool_is_linked_from_where_it_was_found(session: Session, fake_program: FakeProgram) -> None:
    on_path = fake_program("promtool", "").with_name("promtool")

    folder = provide_tools(session.settings, session.progress, ("promtool",))

    assert (folder / "promtool").readlink() == on_path


def test_a_link_to_what_is_gone_is_replaced(session: Session, fake_program: FakeProgram) -> None:
    on_path = fake_program("helm", "echo v4.3.1").with_name("helm")
    folder = session.settings.cache / "bin"
    folder.mkdir(parents=True)
    (folder / "helm").symlink_to(Path("/gone/helm"))

    provide_tools(session.settings, session.progress, ("helm",))

    assert (folder / "helm").readlink() == on_path
