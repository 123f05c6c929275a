import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.repository import PYTHON, files, shown, text_of

# Such a name says nothing about what belongs into the module, so in the end everything does.
EMPTY_MODULE_NAMES = re.compile(r"(utils?|helpers?|commons?|managers?|misc|base)$")
# docs/glossary: primary and secondary, allow and deny.
OTHER_WORDS = re.compile(r"master|slave|whitelist|blacklist", re.IGNORECASE)


def test_no_module_or_package_has_a_name_that_says_nothing() -> None:
    modules = {path.with_suffix("") for path in files(PYTHON)}
    packages = {path.parent for path in files(PYTHON) if path.name == "__init__.py"}

    assert [shown(path) for path in sorted(modules | packages) if EMPTY_MODULE_NAMES.match(path.name)] == []


def defined_names(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(text_of(path))):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()):
                yield name


def test_names_use_the_glossarys_word() -> None:
    found = {f"{shown(path)}: {name}" for path in files(PYTHON) for name in defined_names(path)}

    assert sorted(name for name in found if OTHER_WORDS.search(name.rpartition(": ")[2])) == []
