from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorbuster_cluster.digests import DIGEST_LENGTH, digest_of, digest_of_files, files_below


@given(st.lists(st.text()))
def test_the_same_parts_have_the_same_digest(parts: list[str]) -> None:
    digest = digest_of(*parts)

    assert digest == digest_of(*parts)
    assert len(digest) == DIGEST_LENGTH
    assert set(digest) <= set("0123456789abcdef")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(("ab", "c"), ("a", "bc"), id="other borders between the parts"),
        pytest.param(("a", "b"), ("b", "a"), id="another order"),
        pytest.param(("a",), ("a", ""), id="an empty part more"),
        pytest.param((), ("",), id="no part at all"),
    ],
)
def test_other_parts_have_another_digest(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    assert digest_of(*one) != digest_of(*other)


def test_text_and_its_bytes_are_the_same_part() -> None:
    assert digest_of("Größe") == digest_of("Größe".encode())


def a_tree(folder: Path) -> Path:
    (folder / "sub").mkdir(parents=True)
    (folder / "a").write_text("one")
    (folder / "sub" / "b").write_text("two")
    return folder


def test_files_below_are_sorted_regular_files_without_pythons_caches(tmp_path: Path) -> None:
    root = a_tree(tmp_path / "root")
    (root / "__pycache__").mkdir()
    (root / "__pycache__" / "a.pyc").write_text("compiled")

    assert files_below(root) == [root / "a", root / "sub" / "b"]


def test_digest_of_files_is_the_same_wherever_the_folder_lies(tmp_path: Path) -> None:
    here, there = a_tree(tmp_path / "here"), a_tree(tmp_path / "there")

    assert digest_of_files(here, files_below(here)) == digest_of_files(there, reversed(files_below(there)))


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda root: (root / "a").write_text("ONE"), id="content"),
        pytest.param(lambda root: (root / "a").rename(root / "c"), id="name"),
        pytest.param(lambda root: (root / "a").chmod(0o755), id="executable bit"),
        pytest.param(lambda root: (root / "d").write_text(""), id="a file more"),
    ],
)
def test_digest_of_files_changes_with_every_change(tmp_path: Path, change: Callable[[Path], object]) -> None:
    root = a_tree(tmp_path / "root")
    former = digest_of_files(root, files_below(root))

    change(root)

    assert digest_of_files(root, files_below(root)) != former
