import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from doorbuster_cluster.builds.engine import Engine
from doorbuster_cluster.commands.supply import MONITORS, STORES
from tests.architecture.package_hosts import WELL_KNOWN, package_hosts

pytestmark = pytest.mark.integration

CERTIFICATES = Path("/usr/local/share/ca-certificates")
CHUNK_BYTES = 2**22
# Longer than anything that is looked for, which may lie across the border of two chunks.
OVERLAP_BYTES = 512


def chunks(engine: Engine, image: str) -> Iterator[bytes]:
    """Yield the image as `docker save` writes it, each chunk with the end of the one before.

    Every layer with all its files, also those that a later layer hides, and the configuration with the history; the
    engine compresses none of it.
    """
    with subprocess.Popen(["docker", "save", image], env=engine.environment(), stdout=subprocess.PIPE) as saving:
        assert saving.stdout is not None
        end = b""
        while content := saving.stdout.read(CHUNK_BYTES):
            yield end + content
            end = content[-OVERLAP_BYTES:]
    assert saving.returncode == 0


def is_built_here(image: str) -> bool:
    return image.startswith("localhost")


def found(engine: Engine, image: str, wanted: list[bytes]) -> set[bytes]:
    # Literal texts in one expression: a gigabyte is gone through once and not once a text.
    pattern = re.compile(b"|".join(map(re.escape, wanted)) or b"(?!)")
    return {match for chunk in chunks(engine, image) for match in pattern.findall(chunk)}


def mirrors_of_this_machine() -> list[bytes]:
    # Those that everybody's Debian names stand in manuals too, and say nothing about this machine.
    return [host.encode() for host in sorted(package_hosts() - set(WELL_KNOWN))]


def authorities_of_this_machine() -> list[bytes]:
    """Return a line of each certificate's signature, which no other certificate has."""
    return [path.read_bytes().split()[-4] for path in sorted(CERTIFICATES.rglob("*.crt"))]


def test_what_is_in_a_layer_is_found(engine: Engine, images: dict[str, str]) -> None:
    wanted = [b"/var/lib/dpkg/status", b"redis-server", b"no such text in it"]

    assert found(engine, images["redis"], wanted) >= {b"redis-server"}
    assert b"no such text in it" not in found(engine, images["redis"], wanted)


@pytest.mark.parametrize("name", [*STORES, *MONITORS])
def test_no_image_knows_this_machines_mirrors_or_certificate_authorities(
    engine: Engine, images: dict[str, str], name: str
) -> None:
    # A published image may well name the mirror that everybody uses.
    traces = [*mirrors_of_this_machine(), *authorities_of_this_machine()] if is_built_here(images[name]) else []

    assert found(engine, images[name], traces) == set()


@pytest.mark.parametrize("name", [*STORES, *MONITORS])
def test_no_image_that_is_built_here_has_sources_to_install_from(
    engine: Engine, images: dict[str, str], name: str
) -> None:
    if is_built_here(images[name]):
        places = "/etc/apt/sources.list /etc/apt/sources.list.d /var/lib/apt/lists"
        look = f"for place in {places}; do [ ! -e $place ] || find $place -type f -size +0; done"

        run = ("run", "--rm", "--network", "none", "--user", "0", "--entrypoint", "sh", images[name], "-c", look)
        assert engine.docker(*run) == ""
