"""A toolbox whose kind, kubectl and helm are the stub programs on PATH."""

from pathlib import Path

import pytest

from doorbuster_cluster.builds.engine import Engine
from doorbuster_cluster.runtime.toolbox import Toolbox
from tests.unit.cluster.conftest import FakeProgram
from tests.unit.cluster.host.machines import settings


@pytest.fixture
def tools(tmp_path: Path, fake_program: FakeProgram) -> Toolbox:
    """The toolbox of the cluster `shop`; the stubs do nothing until a test replaces them."""
    names = ("kind", "kubectl", "helm")
    paths: dict[str, Path | None] = {name: fake_program(name, "").with_name(name) for name in names}
    chosen = settings(cluster="shop", cache=str(tmp_path / "cache"))
    return Toolbox(settings=chosen, engine=Engine(address=None, own=True), found=paths)
