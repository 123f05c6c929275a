import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from doorbuster_cluster.builds.engine import Engine
from doorbuster_cluster.builds.go_programs import PROGRAMS
from doorbuster_cluster.builds.images import ImageSource, ImageWorkshop, read_source
from doorbuster_cluster.commands import build_tasks
from doorbuster_cluster.commands import skaffold as command
from doorbuster_cluster.commands.session import Machine, Session
from doorbuster_cluster.commands.skaffold import build_for_skaffold, run_skaffold
from doorbuster_cluster.commands.supply import APPS, OPERATOR
from doorbuster_cluster.commands.up import RELEASES
from doorbuster_cluster.errors import ClusterError, LockHeld
from doorbuster_cluster.host.lock import held
from doorbuster_cluster.runtime.skaffold import Mode
from doorbuster_cluster.settings import REPOSITORY, ImagesChoice
from tests.unit.cluster.conftest import FakeProgram

REFERENCE = "localhost:5001/doorbuster/apps:of-skaffold"
OURS = Engine(address="unix:///cache/engine/docker.sock", own=True)
COMPILER = '[ "$1" = env ] && echo go1.26.8 || { while [ "$1" != -o ]; do shift; done; touch "$2"; }'


@pytest.fixture
def platform(session: Session) -> Session:
    """A session on what `make up` leaves behind."""
    folder = session.settings.state / "values"
    folder.mkdir(parents=True)
    for name in RELEASES:
        (folder / f"{name}.yaml").touch()
    session.settings.kubeconfig.touch()
    return session


@pytest.fixture
def attended(monkeypatch: pytest.MonkeyPatch, platform: Session) -> list[str]:
    """The words with which skaffold was called; it ends with 5 when the lock is held and DOCKER_HOST is ours."""
    words: list[str] = []

    def attend(argv: Sequence[str | Path], *, env: Mapping[str, str], cwd: Path) -> int:
        words.extend(map(str, argv))
        assert cwd == REPOSITORY
        with pytest.raises(LockHeld, match="make skaffold-"), held(Machine(platform.settings).lock, "test"):
            pass
        return 5 if (env["DOCKER_HOST"], env["DOORBUSTER_IMAGES"]) == (OURS.address, "build") else 1

    monkeypatch.setattr(command, "attend", attend)
    monkeypatch.setattr(command, "prepare_machine", lambda _settings, _progress: (OURS, ImagesChoice.BUILD))
    return words


@pytest.mark.parametrize("mode", Mode)
def test_skaffold_is_built_when_somebody_wants_it(
    platform: Session, attended: list[str], fake_program: FakeProgram, mode: Mode
) -> None:
    go = fake_program("go", COMPILER)

    for _ in range(2):
        assert run_skaffold(platform.settings, platform.progress, mode=mode) == 5

    program = platform.go.path(PROGRAMS["skaffold"])
    assert attended[:2] == [str(program), mode.value]
    assert go.read_text().count("build ") == 1


def test_its_own_configuration_is_there_when_it_starts(
    platform: Session, attended: list[str], fake_program: FakeProgram
) -> None:
    fake_program("go", COMPILER)

    run_skaffold(platform.settings, platform.progress, mode=Mode.RUN)

    assert Path(attended[attended.index("--config") + 1]).is_file()


def test_without_the_platform_nothing_is_built(session: Session) -> None:
    with pytest.raises(ClusterError, match="the platform isn't up in the cluster shop") as failure:
        run_skaffold(session.settings, session.progress, mode=Mode.RUN)

    assert "make up" in failure.value.hint


@pytest.mark.parametrize("gone", ["kubeconfig", "values/apps.yaml"])
def test_a_part_of_the_platform_is_not_enough(platform: Session, gone: str) -> None:
    (platform.settings.state / gone).unlink()

    with pytest.raises(ClusterError, match="shop"):
        run_skaffold(platform.settings, platform.progress, mode=Mode.RUN)


def test_while_another_run_works_skaffold_is_refused(platform: Session) -> None:
    with held(Machine(platform.settings).lock, "make up"), pytest.raises(LockHeld, match="make up"):
        run_skaffold(platform.settings, platform.progress, mode=Mode.RUN)


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """References that were built; building does nothing else."""
    built: list[str] = []

    def build(_workshop: ImageWorkshop, source: ImageSource, reference: str) -> None:
        built.append(reference)

    monkeypatch.setattr(ImageWorkshop, "build", build)
    monkeypatch.setattr(ImageWorkshop, "installed", lambda *_: ())
    monkeypatch.setattr(build_tasks, "fetch_wheels", lambda *_: None)
    return built


@pytest.mark.parametrize("name", [APPS, OPERATOR])
@pytest.mark.parametrize("choice", [ImagesChoice.BUILD, ImagesChoice.PULL])
def test_an_image_is_built_as_make_up_does_and_pushed_under_skaffolds_name(
    session: Session, builds: list[str], fake_program: FakeProgram, name: str, choice: ImagesChoice
) -> None:
    docker = fake_program("docker", '[ "$1" != image ]')
    chosen = replace(session.settings, images=choice)
    source = read_source(name)
    wanted = session.images.reference(source if choice is ImagesChoice.BUILD else source.on_published_root())

    build_for_skaffold(chosen, session.progress, name, reference=REFERENCE)

    assert builds == [wanted]
    assert docker.read_text().splitlines()[-2:] == [f"tag {wanted} {REFERENCE}", f"push --quiet {REFERENCE}"]


def test_what_was_built_already_is_only_pushed(
    session: Session, builds: list[str], fake_program: FakeProgram, printed: io.StringIO
) -> None:
    docker = fake_program("docker", "")

    build_for_skaffold(session.settings, session.progress, APPS, reference=REFERENCE)

    assert builds == []
    assert docker.read_text().endswith(f"push --quiet {REFERENCE}\n")
    assert "push image apps" in printed.getvalue()
