import hashlib
import http.server
import io
import stat
import tarfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from doorbuster_cluster.builds import released_programs
from doorbuster_cluster.builds.released_programs import RELEASED, ReleasedProgram
from doorbuster_cluster.errors import ClusterError
from tests.ports import free_port

PROGRAM = b"#!/bin/sh\necho hello\n"
Files = dict[str, bytes]


class Site(http.server.BaseHTTPRequestHandler):
    """Serves `files` by their paths."""

    files: Mapping[str, bytes] = {}

    def do_GET(self) -> None:
        content = self.files.get(self.path)
        self.send_response(404 if content is None else 200)
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()
        self.wfile.write(content or b"")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
        """Keep the tests' output clean."""


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> Files:
    """What the site serves, by path."""
    served: Files = {}
    monkeypatch.setattr(Site, "files", served)
    # A proxy of this machine has nothing to do with a site on loopback.
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return served


@pytest.fixture
def address(files: Files) -> Iterator[str]:
    assert files == {}
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def program(address: str, monkeypatch: pytest.MonkeyPatch) -> ReleasedProgram:
    """A program that the site publishes as /v1/tool-linux-amd64."""
    monkeypatch.setattr("platform.system", lambda: "Linux")
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    url = f"{address}/{{version}}/tool-{{system}}-{{architecture}}"
    return ReleasedProgram(name="tool", version="v1", url=url, checksum=".sha256")


def publish(files: Files, content: bytes, checksum: str | None = None) -> None:
    files["/v1/tool-linux-amd64"] = content
    files["/v1/tool-linux-amd64.sha256"] = (checksum or f"{hashlib.sha256(content).hexdigest()}\n").encode()


def archive(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(f"linux-amd64/{name}")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def test_a_program_is_downloaded_and_can_be_run(tmp_path: Path, program: ReleasedProgram, files: Files) -> None:
    publish(files, PROGRAM)

    path = program.download(tmp_path)

    assert path == program.path(tmp_path) == tmp_path / "programs" / "tool-v1" / "tool"
    assert path.read_bytes() == PROGRAM
    assert stat.S_IMODE(path.stat().st_mode) == 0o755
    assert [entry.name for entry in path.parent.iterdir()] == ["tool"]


def test_a_kept_program_is_not_downloaded_again(tmp_path: Path, program: ReleasedProgram, files: Files) -> None:
    publish(files, PROGRAM)
    program.download(tmp_path)
    files.clear()

    assert program.download(tmp_path).read_bytes() == PROGRAM


def test_the_files_name_may_stand_behind_the_checksum(tmp_path: Path, program: ReleasedProgram, files: Files) -> None:
    publish(files, PROGRAM, f"{hashlib.sha256(PROGRAM).hexdigest()}  tool-linux-amd64\n")

    assert program.download(tmp_path).read_bytes() == PROGRAM


def test_one_file_may_list_the_checksums_of_all(tmp_path: Path, program: ReleasedProgram, files: Files) -> None:
    files["/v1/tool-linux-amd64"] = PROGRAM
    listed = f"{'0' * 64}  tool-linux-arm64\n{hashlib.sha256(PROGRAM).hexdigest()}  tool-linux-amd64\n"
    files["/v1/sums.txt"] = listed.encode()

    assert replace(program, checksum="/sums.txt").download(tmp_path).read_bytes() == PROGRAM


def test_a_file_that_the_list_of_checksums_lacks_is_refused(
    tmp_path: Path, program: ReleasedProgram, files: Files
) -> None:
    files["/v1/tool-linux-amd64"] = PROGRAM
    files["/v1/sums.txt"] = f"{hashlib.sha256(PROGRAM).hexdigest()}  tool-linux-arm64\n".encode()

    with pytest.raises(ClusterError, match="isn't what its checksum says"):
        replace(program, checksum="/sums.txt").download(tmp_path)


@pytest.mark.parametrize("checksum", [pytest.param("0" * 64, id="another"), pytest.param(" \n", id="none at all")])
def test_a_program_that_is_not_what_its_checksum_says_is_refused(
    tmp_path: Path, program: ReleasedProgram, files: Files, checksum: str
) -> None:
    publish(files, PROGRAM, checksum)

    with pytest.raises(ClusterError, match=r"/v1/tool-linux-amd64 isn't what its checksum says") as refusal:
        program.download(tmp_path)

    assert refusal.value.hint == "try again; tell the site if it stays so"
    assert not program.path(tmp_path).exists()


def test_a_program_is_taken_out_of_its_archive(tmp_path: Path, program: ReleasedProgram, files: Files) -> None:
    publish(files, archive(readme=b"read me", tool=PROGRAM))

    packed = replace(program, member="{system}-{architecture}/tool")

    assert packed.download(tmp_path).read_bytes() == PROGRAM


def test_an_archive_without_the_program_is_refused(tmp_path: Path, program: ReleasedProgram, files: Files) -> None:
    publish(files, archive(readme=b"read me"))

    with pytest.raises(ClusterError, match="the archive of tool has no linux-amd64/tool"):
        replace(program, member="{system}-{architecture}/tool").download(tmp_path)

    assert not program.path(tmp_path).exists()


def test_a_file_without_end_is_refused(
    tmp_path: Path, program: ReleasedProgram, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(released_programs, "LARGEST_BYTES", 2**20)
    publish(files, bytes(2**20 + 1))

    with pytest.raises(ClusterError, match="is larger than 1 MiB"):
        program.download(tmp_path)


@pytest.mark.parametrize("missing", ["/v1/tool-linux-amd64", "/v1/tool-linux-amd64.sha256"])
def test_a_file_that_is_not_published_is_named(
    tmp_path: Path, program: ReleasedProgram, files: Files, missing: str
) -> None:
    publish(files, PROGRAM)
    del files[missing]

    with pytest.raises(ClusterError, match=rf"{missing} can't be fetched: HTTP Error 404"):
        program.download(tmp_path)


@pytest.mark.usefixtures("files")
def test_a_site_out_of_reach_is_named(tmp_path: Path) -> None:
    gone = ReleasedProgram(name="tool", version="v1", url=f"http://127.0.0.1:{free_port()}/tool", checksum=".sha256")

    with pytest.raises(ClusterError, match=r"/tool can't be fetched: .*refused"):
        gone.download(tmp_path)


@pytest.mark.parametrize(
    ("system", "machine", "expected"),
    [("Linux", "x86_64", "linux-amd64"), ("Linux", "aarch64", "linux-arm64"), ("Darwin", "arm64", "darwin-arm64")],
)
def test_programs_are_those_of_this_machines_kind(
    monkeypatch: pytest.MonkeyPatch, system: str, machine: str, expected: str
) -> None:
    monkeypatch.setattr("platform.system", lambda: system)
    monkeypatch.setattr("platform.machine", lambda: machine)

    addresses = {name: program._fill(program.url) for name, program in RELEASED.items()}

    assert addresses["kind"].endswith(f"/{RELEASED['kind'].version}/kind-{expected}")
    assert addresses["helm"].endswith(f"/helm-{RELEASED['helm'].version}-{expected}.tar.gz")
    assert addresses["kubectl"].endswith(f"/{RELEASED['kubectl'].version}/bin/{expected.replace('-', '/')}/kubectl")
    assert all(address.startswith("https://") for address in addresses.values())
