"""Kafka's jars, fetched by Maven: the image has no other way to get them where no container registry is in reach."""

import hashlib
import shutil
from pathlib import Path

from doorbuster_cluster.digests import digest_of
from doorbuster_cluster.errors import ClusterError
from doorbuster_cluster.process import run

FETCH_SECONDS = 600.0
PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"


def fetch_jars(pom: Path, checksums: Path, cache: Path) -> Path:
    """Return the folder with exactly the jars that `checksums` lists, fetched unless it is kept already.

    Args:
        pom: names the artefacts; what they depend on comes with them.
        checksums: lines of `<sha256>  <file name>`, as sha256sum prints them.
        cache: where folders of jars are kept.

    Raises:
        ClusterError: a jar is missing, unknown or has another content than its checksum says.
    """
    folder = cache / "jars" / digest_of(pom.read_bytes(), checksums.read_bytes())
    if folder.exists():
        return folder
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    command: list[str | Path] = [
        "mvn",
        "-q",
        "-B",
        "-f",
        pom,
        PLUGIN,
        "-DincludeScope=runtime",
        f"-DoutputDirectory={unfinished}",
    ]
    run(command, timeout_seconds=FETCH_SECONDS)
    verify_jars(unfinished, checksums)
    unfinished.rename(folder)
    return folder


def verify_jars(folder: Path, checksums: Path) -> None:
    """Check the folder's jars against their checksums.

    Raises:
        ClusterError: the sentence names the first few jars that differ.
    """
    lines = (line.split(maxsplit=1) for line in checksums.read_text().splitlines())
    wanted = {name: checksum for checksum, name in lines}
    found = {jar.name: hashlib.sha256(jar.read_bytes()).hexdigest() for jar in folder.glob("*.jar")}
    differing = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
    if differing:
        raise ClusterError(
            f"{len(differing)} jars differ from {checksums.name}: {', '.join(differing[:5])}",
            hint="if the versions were changed on purpose, write the checksums anew",
        )
