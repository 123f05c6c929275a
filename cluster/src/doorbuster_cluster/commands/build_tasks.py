"""The tasks that make programs and images on this machine, and what each of them needs."""

from collections.abc import Iterable
from functools import partial

from doorbuster_cluster.builds.go_programs import PROGRAMS
from doorbuster_cluster.builds.images import ImageSource, read_source
from doorbuster_cluster.builds.node_image import NodeImage
from doorbuster_cluster.builds.wheels import fetch_wheels
from doorbuster_cluster.commands.session import Session
from doorbuster_cluster.work import Task

GO_LANE = "go"
DISK_LANE = "disk"
IMAGE_LANE = "images"
WHEEL_LANE = "wheels"
PUSH_LANE = "push"


def program_tasks(session: Session, names: Iterable[str]) -> list[Task]:
    """Return one task a Go program, in the order given, and one that drops the compiler's caches after the last."""
    tasks = [Task(name=f"program {name}", run=partial(_build_program, session, name), lane=GO_LANE) for name in names]
    every = frozenset(task.name for task in tasks)
    # In a lane of its own: deleting a hundred thousand small files takes most of a minute, and nothing waits for it.
    return [*tasks, Task(name="drop caches", run=session.go.drop_compiler_caches, lane=DISK_LANE, needs=every)]


def image_task(session: Session, source: ImageSource) -> Task:
    """Return the task that builds one image of ours."""
    needs = {f"program {program}" for program in source.programs} | (
        {f"wheels {source.name}"} if source.lock else set()
    )
    run = partial(_build_image, session, source, session.images.reference(source))
    return Task(name=f"image {source.name}", run=run, lane=IMAGE_LANE, needs=frozenset(needs))


def wheel_task(session: Session, source: ImageSource) -> Task:
    """Return the task that fetches an image's Python packages, beside the build of other images."""
    run = partial(_fetch_wheels, session, source, session.images.reference(source))
    return Task(name=f"wheels {source.name}", run=run, lane=WHEEL_LANE)


def push_task(session: Session, source: ImageSource) -> Task:
    """Return the task that puts one image of ours into the local registry."""
    needs = frozenset({f"image {source.name}", "registry"})
    run = partial(_push, session, source, session.images.reference(source))
    return Task(name=f"push {source.name}", run=run, lane=PUSH_LANE, needs=needs)


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


def _build_image(session: Session, source: ImageSource, reference: str) -> None:
    if session.engine.has_image(reference):
        session.progress.cached(f"image {source.name}")
        return
    with session.progress.step(f"build image {source.name}"):
        session.images.build(source, reference)
    if packages := session.images.installed(source, reference):
        session.progress.note(f"image {source.name} has {', '.join(packages)}")


def _fetch_wheels(session: Session, source: ImageSource, reference: str) -> None:
    if source.lock is None or session.engine.has_image(reference):
        return
    with session.progress.step(f"fetch Python packages of image {source.name}"):
        fetch_wheels(source.lock, session.settings.cache)


def _push(session: Session, source: ImageSource, reference: str) -> None:
    if not session.registry.has(reference):
        with session.progress.step(f"push image {source.name}"):
            session.registry.push(reference)


def _build_node(session: Session) -> None:
    node = NodeImage(workshop=session.images)
    if session.engine.has_image(node.reference):
        session.progress.cached("image node")
        return
    with session.progress.step("build image node"):
        node.build()
