"""The tasks that make programs and images on this machine, and what each of them needs."""

from collections.abc import Iterable
from functools import partial

from doorbuster_cluster.builds.go_programs import PROGRAMS
from doorbuster_cluster.builds.images import read_source
from doorbuster_cluster.builds.node_image import NodeImage
from doorbuster_cluster.commands.session import Session
from doorbuster_cluster.work import Task

GO_LANE = "go"
DISK_LANE = "disk"
IMAGE_LANE = "images"


def program_tasks(session: Session, names: Iterable[str]) -> list[Task]:
    """Return one task a Go program, in the order given, and one that drops the compiler's caches after the last."""
    tasks = [Task(name=f"program {name}", run=partial(_build_program, session, name), lane=GO_LANE) for name in names]
    every = frozenset(task.name for task in tasks)
    # In a lane of its own: deleting a hundred thousand small files takes most of a minute, and nothing waits for it.
    return [*tasks, Task(name="drop caches", run=session.go.drop_compiler_caches, lane=DISK_LANE, needs=every)]


def image_task(session: Session, name: str) -> Task:
    """Return the task that builds one image of ours."""
    needs = frozenset(f"program {program}" for program in read_source(name).programs)
    return Task(name=f"image {name}", run=partial(_build_image, session, name), lane=IMAGE_LANE, needs=needs)


def node_task(session: Session) -> Task:
    """Return the task that builds the node image."""
    programs = {*read_source("node").programs, *read_source("system").programs}
    needs = frozenset(f"program {program}" for program in programs)
    return Task(name="image node", run=partial(_build_node, session), lane=IMAGE_LANE, needs=needs)


def _build_program(session: Session, name: str) -> None:
    program = PROGRAMS[name]
    if session.go.has(program):
        session.progress.cached(f"program {name}")
        return
    with session.progress.step(f"build program {name}"):
        session.go.build(program)


def _build_image(session: Session, name: str) -> None:
    source = read_source(name)
    if session.engine.has_image(session.images.reference(source)):
        session.progress.cached(f"image {name}")
        return
    with session.progress.step(f"build image {name}"):
        session.images.build(source)
    if packages := session.images.installed(source):
        session.progress.note(f"image {name} has {', '.join(packages)}")


def _build_node(session: Session) -> None:
    node = NodeImage(workshop=session.images)
    if session.engine.has_image(node.reference):
        session.progress.cached("image node")
        return
    with session.progress.step("build image node"):
        node.build()
