import os

import pytest

from loadtests.rig.machine import memory_gib, processor, usable_cores


def test_where_nobody_says_which_cores_may_be_used_all_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 10)

    assert usable_cores() == 10


@pytest.mark.parametrize(("text", "gib"), [("MemTotal:       16384000 kB\nMemFree: 1 kB\n", 15.6), ("", None)])
def test_memory_is_what_the_kernel_says(text: str, gib: float | None) -> None:
    assert memory_gib(text) == gib


@pytest.mark.parametrize(
    ("text", "name"), [("processor\t: 0\nmodel name\t: Small CPU @ 2 GHz\n", "Small CPU @ 2 GHz"), ("", None)]
)
def test_the_processor_is_what_it_calls_itself(text: str, name: str | None) -> None:
    assert processor(text) == name
