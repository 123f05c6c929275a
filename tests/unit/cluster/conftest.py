"""Programs that stand for real ones: shell scripts in a folder at the front of PATH."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

FakeProgram = Callable[[str, str], Path]


@pytest.fixture
def fake_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeProgram:
    """Return a function that puts a program on PATH; it notes its arguments in `<name>.calls` before its script."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    def make(name: str, script: str) -> Path:
        calls = folder / f"{name}.calls"
        program = folder / name
        program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >> "{calls}"\n{script}\n')
        program.chmod(0o755)
        return calls

    return make
