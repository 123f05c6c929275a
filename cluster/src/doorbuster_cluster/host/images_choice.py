"""Decides whether images are pulled or built here, and what building needs. Pure, like `engine_choice`."""

from doorbuster_cluster.host.facts import MachineFacts
from doorbuster_cluster.host.findings import Finding, fine, problem, warning
from doorbuster_cluster.host.packages import Purpose
from doorbuster_cluster.settings import ImagesChoice, Settings

SUBJECT = "images"
# The go line of Kubernetes 1.35's and helm 4.3's modules.
OLDEST_GO = (1, 26)
ARCHITECTURES = ("amd64", "arm64")


def choose_images(facts: MachineFacts, settings: Settings) -> tuple[ImagesChoice, tuple[Finding, ...]]:
    """Return where images come from and what to tell about it.

    AUTO means: not known yet, because there is no docker client that could ask a registry.
    """
    if settings.images is ImagesChoice.PULL:
        return ImagesChoice.PULL, (_judge_pulling(facts),)
    if settings.images is ImagesChoice.BUILD:
        return ImagesChoice.BUILD, (fine(SUBJECT, "built here, as DOORBUSTER_IMAGES says"), *_judge_building(facts))
    if facts.registry_reachable is None:
        return ImagesChoice.AUTO, (_undecided(),)
    if facts.registry_reachable:
        return ImagesChoice.PULL, (fine(SUBJECT, "a container registry is in reach; they are pulled"),)
    return ImagesChoice.BUILD, (
        fine(SUBJECT, "no container registry is in reach; they are built here"),
        *_judge_building(facts),
    )


def _judge_pulling(facts: MachineFacts) -> Finding:
    if facts.registry_reachable is False:
        return problem(
            SUBJECT,
            "no container registry is in reach",
            why="DOORBUSTER_IMAGES=pull needs one",
            command="unset DOORBUSTER_IMAGES to build them here, or set the engine's proxy",
        )
    return fine(SUBJECT, "pulled, as DOORBUSTER_IMAGES says")


def _undecided() -> Finding:
    return warning(
        SUBJECT,
        "whether a container registry is in reach isn't known yet",
        why="without one they are built here, which takes about 25 minutes the first time",
        command="nothing: make up finds it out as soon as there is a docker client",
    )


def _judge_building(facts: MachineFacts) -> tuple[Finding, ...]:
    if facts.system != "Linux" or not facts.distribution.is_debian or not facts.is_root:
        return (
            problem(
                "building images",
                f"{_who(facts)} on {facts.distribution.id or facts.system}",
                why="images are made from Debian packages with mmdebstrap, as root on Debian",
                command="get a container registry into reach, or run this as root on Debian",
            ),
        )
    return _judge_architecture(facts), _judge_go(facts)


def _who(facts: MachineFacts) -> str:
    return "root" if facts.is_root else "not root"


def _judge_architecture(facts: MachineFacts) -> Finding:
    if facts.architecture in ARCHITECTURES:
        return fine("architecture", facts.architecture)
    return problem(
        "architecture",
        facts.architecture,
        why="programs and images are made for amd64 and arm64 only",
        command="use a machine of one of these",
    )


def _judge_go(facts: MachineFacts) -> Finding:
    go, oldest = facts.programs.get("go"), ".".join(map(str, OLDEST_GO))
    if go is None or go.version is None or go.version < OLDEST_GO:
        return problem(
            "Go",
            "not on PATH" if go is None else f"{go.path} is {go.shown_version}",
            why=f"Kubernetes, kind and helm are built with Go {oldest} or newer",
            command=f"install Go {oldest} or newer and put its bin folder on PATH",
        )
    return fine("Go", f"{go.path} is {go.shown_version}")


def needed_packages(facts: MachineFacts, images: ImagesChoice, *, starts_engine: bool) -> tuple[str, ...]:
    """Return the Debian packages that the chosen way lacks, sorted."""
    purposes = [Purpose.ENGINE] if starts_engine else []
    if images is ImagesChoice.BUILD:
        purposes.append(Purpose.BUILD)
    return tuple(sorted({package for purpose in purposes for package in facts.missing_packages.get(purpose, ())}))
