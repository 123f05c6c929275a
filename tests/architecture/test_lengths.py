import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from statistics import median

from tests.architecture.repository import PYTHON, files, shown, text_of

LONGEST_FUNCTION = 50
LONGEST_FILE = 400
MEDIAN_FUNCTION = 12
SOURCES = (PYTHON, "*.sh", "*.go", "*.tpl", "Dockerfile", "Makefile")


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Yield every function of the file with its length in lines, decorators left out."""
    for node in ast.walk(ast.parse(text_of(path))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            yield f"{shown(path)}:{node.lineno} {node.name}", node.end_lineno - node.lineno + 1


@cache
def all_functions() -> tuple[tuple[str, int], ...]:
    return tuple(function for path in files(PYTHON) for function in functions(path))


def test_no_function_is_longer_than_a_screen() -> None:
    assert [function for function in all_functions() if function[1] > LONGEST_FUNCTION] == []


def test_most_functions_do_one_thing() -> None:
    assert median(length for _, length in all_functions()) <= MEDIAN_FUNCTION


def test_no_file_holds_more_than_one_subject_can_fill() -> None:
    lengths = {shown(path): text_of(path).count("\n") for path in files(*SOURCES)}

    assert {path: length for path, length in lengths.items() if length > LONGEST_FILE} == {}
