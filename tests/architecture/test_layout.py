import operator
import sys
import sysconfig
from pathlib import Path

from doorbuster_cluster.process import run
from doorbuster_cluster.settings import REPOSITORY
from tests.architecture.repository import PYTHON, files, shown


def test_the_operators_folder_does_not_shadow_the_standard_librarys_module() -> None:
    # `operator/__init__.py` would make a package of that folder wherever the repository is on Python's path, and
    # `tests/operator` does the same with some runners; half of the standard library imports that module.
    assert not (REPOSITORY / "operator" / "__init__.py").exists()
    assert not (REPOSITORY / "tests" / "operator").exists()


def test_the_standard_librarys_operator_is_imported_here_and_from_the_repositorys_folder() -> None:
    there = run([sys.executable, "-c", "import operator; print(operator.__file__)"], cwd=REPOSITORY).strip()

    assert operator.__file__ is not None
    assert Path(operator.__file__).parent == Path(there).parent == Path(sysconfig.get_path("stdlib"))


def test_every_folder_of_tests_is_a_package() -> None:
    folders = {path.parent for path in files(PYTHON) if path.is_relative_to(REPOSITORY / "tests")}
    # Folders between the top and those with tests count too.
    folders |= {
        parent for folder in folders for parent in folder.parents if parent.is_relative_to(REPOSITORY / "tests")
    }

    assert [shown(folder) for folder in sorted(folders) if not (folder / "__init__.py").is_file()] == []


def test_test_files_are_found_by_pytest() -> None:
    tests = [path for path in files(PYTHON) if path.is_relative_to(REPOSITORY / "tests")]
    hidden = [path for path in tests if "\ndef test_" in path.read_text() and not path.name.startswith("test_")]

    assert [shown(path) for path in hidden] == []
