"""Judges what `facts` found out: what is fine, what isn't, what to type, and how `make up` will go about it.

Pure, so that every machine that this project knows of is a row in a table of tests.
"""

from doorbuster_cluster.host.engine_choice import choose_engine
from doorbuster_cluster.host.facts import MachineFacts, PortFacts, PortState
from doorbuster_cluster.host.findings import Diagnosis, Finding, Plan, fine, problem, warning
from doorbuster_cluster.host.images_choice import choose_images, needed_packages
from doorbuster_cluster.settings import EngineChoice, ImagesChoice, Settings, Size

GB = 10**9
GIB = 2**30
# PLATFORM_RULES P1 and P3: a first build peaks at 20 GB; images and volumes at rest take 6.
FIRST_BUILD_DISK_BYTES = 25 * GB
LATER_DISK_BYTES = 10 * GB
FEWEST_CORES = 2
# What all pods ask for, so that the scheduler places them (tests/unit/charts/test_apps_chart.py adds it up).
ENOUGH_MEMORY_BYTES = {Size.HA: 11 * GIB, Size.SMALL: 5 * GIB}


def diagnose(facts: MachineFacts, settings: Settings) -> Diagnosis:
    """Return what is to be said about this machine, and the plan.

    A problem means that `make up` can't work; `make doctor` then ends with 1.
    """
    engine, engine_finding = choose_engine(facts, settings)
    images, image_findings = choose_images(facts, settings)
    starts_engine = engine is EngineChoice.OWN and facts.own_engine is None
    packages = needed_packages(facts, images, starts_engine=starts_engine)
    installs = facts.is_root and facts.distribution.is_debian and facts.existing_engine is None
    findings = [
        engine_finding,
        *image_findings,
        _judge_packages(packages, installs=installs),
        _judge_disk(facts, images),
        *(_judge_port(port) for port in facts.ports),
        *_judge_clash(facts.ports),
        _judge_cores(facts),
        _judge_memory(facts, settings.size),
        _tell_programs(facts),
    ]
    plan = Plan(engine=engine, images=images, packages=packages if installs else ())
    return Diagnosis(findings=tuple(findings), plan=plan)


def _judge_packages(packages: tuple[str, ...], *, installs: bool) -> Finding:
    names = " ".join(packages)
    if not packages:
        return fine("packages", "none is missing")
    if installs:
        return fine("packages", f"make up installs {names}; make down leaves and lists them")
    return problem(
        "packages",
        f"missing: {names}",
        why="they are installed by make up only as root on Debian and where no engine answers",
        command=f"sudo apt-get install --no-install-recommends {names}",
    )


def _judge_disk(facts: MachineFacts, images: ImagesChoice) -> Finding:
    builds_first_time = images is not ImagesChoice.PULL and not facts.built_before
    wanted = FIRST_BUILD_DISK_BYTES if builds_first_time else LATER_DISK_BYTES
    seen = f"{facts.free_disk_bytes / GB:.0f} GB free where the cache is"
    if facts.free_disk_bytes >= wanted:
        return fine("disk", seen)
    return problem(
        "disk",
        seen,
        why=f"{wanted // GB} GB are needed{' for a first build' if builds_first_time else ''}",
        command="free some, or set DOORBUSTER_CACHE to a folder on a larger disk",
    )


def _judge_port(port: PortFacts) -> Finding:
    subject = f"port {port.number}"
    if port.state is PortState.FREE:
        return fine(subject, "free")
    if port.state is PortState.OURS:
        return fine(subject, f"published by {port.holder}, which is ours")
    return problem(
        subject,
        f"taken by the container {port.holder}" if port.holder else "taken by another program",
        why="the cluster publishes it on 127.0.0.1",
        command=f"stop that, or set {port.variable} to a free port",
    )


def _judge_clash(ports: tuple[PortFacts, ...]) -> list[Finding]:
    numbers = {port.number for port in ports}
    if len(numbers) == len(ports):
        return []
    names = " and ".join(port.variable for port in ports)
    seen, command = f"{names} name the same port", "set one of them to another port"
    return [problem("ports", seen, why="each publishes something of its own", command=command)]


def _judge_cores(facts: MachineFacts) -> Finding:
    cores = _cores(facts)
    if cores >= FEWEST_CORES:
        return fine("cores", f"{cores}")
    return warning(
        "cores",
        f"{cores}",
        why=f"the control plane alone asks for most of one; {FEWEST_CORES} are the fewest it was tried with",
        command="use a larger machine, or give the engine's virtual machine more",
    )


def _judge_memory(facts: MachineFacts, size: Size) -> Finding:
    memory, enough = _memory_bytes(facts), ENOUGH_MEMORY_BYTES[size]
    seen = f"{memory / GIB:.1f} GiB"
    if memory >= enough:
        return fine("memory", seen)
    return warning(
        "memory",
        seen,
        why=f"size {size.value} wants {enough // GIB} GiB",
        command="DOORBUSTER_SIZE=small make up" if size is Size.HA else "use a larger machine",
    )


def _cores(facts: MachineFacts) -> int:
    engine = facts.own_engine or facts.existing_engine
    return engine.cores if engine else facts.cores


def _memory_bytes(facts: MachineFacts) -> int:
    """The engine's own figure comes first: on macOS it is that of a smaller virtual machine."""
    engine = facts.own_engine or facts.existing_engine
    return engine.memory_bytes if engine else facts.memory_bytes


def _tell_programs(facts: MachineFacts) -> Finding:
    told = [
        f"{name} {facts.programs[name].shown_version}" if name in facts.programs else f"no {name}"
        for name in ("docker", "kind", "helm", "kubectl")
    ]
    return fine("programs on PATH", f"{', '.join(told)}; make up gets what is missing or too old")
